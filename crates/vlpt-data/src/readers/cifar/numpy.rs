//! Arrays of bytes as NumPy pickles them, read without running anything.
//!
//! What such a pickle calls is known by its name and stands for an inert record: `_reconstruct` for an
//! array without content, its state for the content, `dtype` for the kind of its numbers. Strings are
//! known by their place in the file and are not copied.

use std::ops::Range;
use std::sync::Arc;

use vlpt_base::pickle::{Known, Made, NodeOf, RawString, Value, ValueOf, tuple};

/// The most dimensions of an array.
const MOST_DIMENSIONS: usize = 8;

/// What a pickle of arrays may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    Reconstruct,
    NdArray,
    Dtype,
    /// `_codecs.encode`, by which Python 3 writes bytes for Python 2.
    Encode,
    /// `bytes`, called for no bytes at all.
    Bytes,
}

/// Values that are none of Python's plain ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extra {
    /// Bytes at a place of the file.
    Bytes(Range<usize>),
    /// A long text in UTF-8 at a place of the file.
    Text(Range<usize>),
    /// The type of bytes.
    Uint8,
    /// An array: an index into [`Arrays::found`].
    Array(usize),
}

/// Where the bytes of an array are.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// As they are, at a place of the file.
    Place(Range<usize>),
    /// As a text in UTF-8 at a place of the file, a character a byte.
    Latin1(Range<usize>),
    /// As a short text, a character a byte.
    Short(Arc<str>),
}

/// An array of bytes.
#[derive(Debug, Clone)]
pub(super) struct Array {
    pub(super) shape: Vec<u64>,
    /// Whether the first dimension changes fastest.
    pub(super) fortran: bool,
    pub(super) content: Content,
}

/// The arrays of a pickle, by file.
pub(super) struct Arrays<'f> {
    pub(super) file: &'f [u8],
    /// None: made and not yet given its content.
    pub(super) found: Vec<Option<Array>>,
}

impl Arrays<'_> {
    /// A text, or bytes that are one.
    pub(super) fn text(&self, value: &ValueOf<Self>) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.to_string()),
            Value::Extra(Extra::Bytes(place)) => {
                let bytes = self.file.get(place.clone())?;
                std::str::from_utf8(bytes).ok().map(str::to_owned)
            }
            _ => None,
        }
    }

    /// Whether a value is this text, or the bytes of it.
    pub(super) fn is(&self, value: &ValueOf<Self>, wanted: &str) -> bool {
        match value {
            Value::Text(text) => &**text == wanted,
            Value::Extra(Extra::Bytes(place)) => {
                self.file.get(place.clone()) == Some(wanted.as_bytes())
            }
            _ => false,
        }
    }

    fn dtype(&self, arguments: &[ValueOf<Self>]) -> Result<Extra, String> {
        let name = arguments.first().and_then(|name| self.text(name));
        match name.as_deref() {
            Some("u1" | "|u1" | "uint8") => Ok(Extra::Uint8),
            Some(other) => {
                let shown: String = other.chars().take(20).collect();
                Err(format!("an array of `{shown}`, only uint8 is read"))
            }
            None => Err("a dtype without a name".to_owned()),
        }
    }

    fn array(&self, state: &ValueOf<Self>, nodes: &[NodeOf<Self>]) -> Result<Array, String> {
        let wrong = || "an array whose state is not NumPy's".to_owned();
        let [_, shape, dtype, fortran, content] = tuple(state, nodes).ok_or_else(wrong)? else {
            return Err(wrong());
        };
        let sizes = tuple(shape, nodes).ok_or_else(wrong)?;
        if sizes.len() > MOST_DIMENSIONS {
            return Err(format!("an array of {} dimensions", sizes.len()));
        }
        let size = |value: &ValueOf<Self>| match value {
            Value::Int(size) => u64::try_from(*size).map_err(|_| wrong()),
            _ => Err(wrong()),
        };
        if *dtype != Value::Extra(Extra::Uint8) {
            return Err("an array without the dtype uint8".to_owned());
        }
        Ok(Array {
            shape: sizes.iter().map(size).collect::<Result<_, _>>()?,
            fortran: matches!(fortran, Value::Bool(true) | Value::Int(1)),
            content: match content {
                Value::Extra(Extra::Bytes(place)) => Content::Place(place.clone()),
                Value::Extra(Extra::Text(place)) => Content::Latin1(place.clone()),
                Value::Text(text) => Content::Short(Arc::clone(text)),
                _ => return Err("an array whose content is no bytes".to_owned()),
            },
        })
    }
}

impl Known for Arrays<'_> {
    type Global = Global;
    type Extra = Extra;
    const PROTOCOL: u8 = 4;
    const NO_OBJECT: &'static str = "an object: only arrays of bytes are read";
    const STRINGS: bool = true;
    const MAX_STEPS: usize = 1 << 22;

    fn global(&self, module: &str, name: &str) -> Option<Global> {
        match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
                Some(Global::Reconstruct)
            }
            ("numpy", "ndarray") => Some(Global::NdArray),
            ("numpy", "dtype") => Some(Global::Dtype),
            ("_codecs", "encode") => Some(Global::Encode),
            ("__builtin__" | "builtins", "bytes") => Some(Global::Bytes),
            _ => None,
        }
    }

    fn is_inert(&self, _global: &Global) -> bool {
        false
    }

    fn has_objects(&self, _global: &Global) -> bool {
        false
    }

    fn call(
        &mut self,
        global: &Global,
        arguments: &[ValueOf<Self>],
        _nodes: &[NodeOf<Self>],
    ) -> Result<Option<Made<ValueOf<Self>>>, String> {
        let made = match (global, arguments) {
            (Global::Reconstruct, [Value::Global(Global::NdArray), _, _]) => {
                self.found.push(None);
                Value::Extra(Extra::Array(self.found.len() - 1))
            }
            (Global::Dtype, arguments) => Value::Extra(self.dtype(arguments)?),
            // what the text encodes to is told from where it stands
            (Global::Encode, [text @ (Value::Text(_) | Value::Extra(Extra::Text(_))), code])
                if self.is(code, "latin1") =>
            {
                text.clone()
            }
            (Global::Bytes, []) => Value::Text(Arc::from("")),
            _ => return Ok(None),
        };
        Ok(Some(Made::Value(made)))
    }

    fn persistent(
        &mut self,
        _id: &ValueOf<Self>,
        _nodes: &[NodeOf<Self>],
    ) -> Result<Extra, String> {
        Err("a persistent id".to_owned())
    }

    fn string(&mut self, kind: RawString, place: Range<usize>) -> Option<Extra> {
        Some(match kind {
            RawString::Bytes => Extra::Bytes(place),
            RawString::Text => Extra::Text(place),
        })
    }

    fn build(
        &mut self,
        value: &Extra,
        state: &ValueOf<Self>,
        nodes: &[NodeOf<Self>],
    ) -> Result<bool, String> {
        match value {
            Extra::Uint8 => Ok(true),
            Extra::Array(index) => {
                let array = self.array(state, nodes)?;
                match self.found.get_mut(*index) {
                    Some(place @ None) => *place = Some(array),
                    _ => return Err("an array that is given its content twice".to_owned()),
                }
                Ok(true)
            }
            Extra::Bytes(_) | Extra::Text(_) => Ok(false),
        }
    }
}
