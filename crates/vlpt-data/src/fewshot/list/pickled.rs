//! CoOp's pickled subsets: `{"train": [Datum, ...], "val": [Datum, ...]}`, read without running
//! anything.
//!
//! A `Datum` is Dassl's record of an image. Whatever module the pickle says that its class is of, it is
//! only a record of its attributes here: the class is not looked for, and nothing is called. ImageNet's
//! subsets have no `val`.

use std::path::Path;

use vlpt_base::pickle::{self, Known, Made, Node, NodeOf, PickleOf, Value, ValueOf};

use super::{Listed, ListedImage, shown};
use crate::error::{ListError, Result};

/// Module and name of the class in the pickles that are written.
const DATUM: (&str, &str) = ("dassl.data.datasets.base_dataset", "Datum");
const EXPECTED: &str = "a dict with a list `train`, and perhaps a list `val`, of Datum records";
const RECORD: &str = "a Datum with _impath (text), _label (from 0) and _classname (text)";

/// The one class that is known.
struct Records;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Datum;

/// There are no values but Python's plain ones.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Nothing {}

impl Known for Records {
    type Global = Datum;
    type Extra = Nothing;
    const PROTOCOL: u8 = 5;
    const NO_OBJECT: &'static str = "an object that is no plain Datum record";

    fn global(&self, module: &str, name: &str) -> Option<Datum> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        (name == DATUM.1 && module.bytes().all(plain)).then_some(Datum)
    }

    fn is_inert(&self, _global: &Datum) -> bool {
        false
    }

    fn has_objects(&self, _global: &Datum) -> bool {
        true
    }

    fn call(
        &mut self,
        _global: &Datum,
        _arguments: &[ValueOf<Self>],
        _nodes: &[NodeOf<Self>],
    ) -> std::result::Result<Option<Made<ValueOf<Self>>>, String> {
        Ok(None)
    }

    fn persistent(
        &mut self,
        _id: &ValueOf<Self>,
        _nodes: &[NodeOf<Self>],
    ) -> std::result::Result<Nothing, String> {
        Err("a persistent id".to_owned())
    }
}

/// The images to train on and to validate on.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<(Listed, Option<Listed>)> {
    let pickle = pickle::read(bytes, 0, &mut Records).map_err(|refused| ListError::Pickle {
        path: path.to_owned(),
        position: refused.position,
        what: refused.what,
    })?;
    let whole = |found: String| ListError::Entry {
        path: path.to_owned(),
        place: "the whole".to_owned(),
        found,
        expected: EXPECTED,
    };
    let pairs = pickle
        .dict(&pickle.root)
        .ok_or_else(|| whole("no dict".to_owned()))?;
    let (mut train, mut val) = (None, None);
    for (key, value) in pairs {
        let (part, place) = match key {
            Value::Text(text) if &**text == "train" => (&mut train, "train"),
            Value::Text(text) if &**text == "val" => (&mut val, "val"),
            Value::Text(text) => return Err(whole(format!("the key `{}`", shown(text))).into()),
            _ => return Err(whole("a key that is no text".to_owned()).into()),
        };
        let items = pickle
            .list(value)
            .ok_or_else(|| whole(format!("`{place}` that is no list")))?;
        *part = Some(listed(path, place, items, &pickle)?);
    }
    let train = train.ok_or_else(|| whole("no key `train`".to_owned()))?;
    Ok((train, val))
}

fn listed(
    path: &Path,
    key: &'static str,
    items: &[ValueOf<Records>],
    pickle: &PickleOf<Records>,
) -> Result<Listed> {
    let mut images = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let number = index + 1;
        let image = record(item, pickle).map_err(|found| ListError::Entry {
            path: path.to_owned(),
            place: format!("entry {number} of `{key}`"),
            found,
            expected: RECORD,
        })?;
        images.push(ListedImage { number, ..image });
    }
    Ok(Listed {
        path: path.to_owned(),
        key: Some(key),
        images,
    })
}

/// The image of a record, or what stands there instead.
fn record(
    item: &ValueOf<Records>,
    pickle: &PickleOf<Records>,
) -> std::result::Result<ListedImage, String> {
    let Some(Node::Object(Datum, Some(state))) = pickle.node(item) else {
        return Err("no such record".to_owned());
    };
    let Node::Dict(attributes) = &pickle.nodes[*state] else {
        return Err("a record without attributes".to_owned());
    };
    let (mut path, mut label, mut class) = (None, None, None);
    for (key, value) in attributes {
        match (key, value) {
            (Value::Text(key), Value::Text(text)) if &**key == "_impath" => path = Some(text),
            (Value::Text(key), Value::Text(text)) if &**key == "_classname" => class = Some(text),
            (Value::Text(key), Value::Int(number)) if &**key == "_label" => {
                let wrong = |_| format!("the label {number}");
                label = Some(u32::try_from(*number).map_err(wrong)?);
            }
            (Value::Text(key), Value::Int(_)) if &**key == "_domain" => {}
            (Value::Text(key), _) => {
                return Err(format!("an attribute `{}` of such a value", shown(key)));
            }
            _ => return Err("an attribute whose name is no text".to_owned()),
        }
    }
    let lacks = |name: &str| format!("a record without {name}");
    Ok(ListedImage {
        number: 0,
        path: path.ok_or_else(|| lacks("_impath"))?.to_string(),
        label: label.ok_or_else(|| lacks("_label"))?,
        class: class.ok_or_else(|| lacks("_classname"))?.to_string(),
    })
}

/// The pickle of a list, protocol 2, as CoOp's code loads it.
pub(super) fn write(train: &[ListedImage], val: Option<&[ListedImage]>) -> Vec<u8> {
    let mut out = b"\x80\x02}(".to_vec();
    for (key, images) in [("train", Some(train)), ("val", val)] {
        let Some(images) = images else {
            continue;
        };
        text(&mut out, key);
        out.extend(b"](");
        for image in images {
            out.extend(format!("c{}\n{}\n)", DATUM.0, DATUM.1).bytes());
            out.extend(b"\x81}(");
            for (name, value) in [("_impath", &image.path), ("_classname", &image.class)] {
                text(&mut out, name);
                text(&mut out, value);
            }
            text(&mut out, "_label");
            int(&mut out, image.label);
            text(&mut out, "_domain");
            int(&mut out, 0);
            out.extend(b"ub");
        }
        out.push(b'e');
    }
    out.extend(b"u.");
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

/// A whole number below 2^31 in four bytes, a larger one in eight.
fn int(out: &mut Vec<u8>, number: u32) {
    if let Ok(small) = i32::try_from(number) {
        out.push(b'J');
        out.extend(small.to_le_bytes());
    } else {
        out.extend([0x8a, 8]);
        out.extend(i64::from(number).to_le_bytes());
    }
}
