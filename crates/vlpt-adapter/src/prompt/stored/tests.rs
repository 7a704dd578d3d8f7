use std::sync::Arc;

use vlpt_clip::Clip;
use vlpt_methods::baselines::{LinearHead, TipAdapter};

use super::*;

const EMBED: usize = 2;

fn names() -> Vec<String> {
    vec!["a".to_owned(), "b".to_owned()]
}

fn written(classifier: &Classifier, change: impl FnOnce(&mut TensorFile)) -> Result<Stored> {
    let mut file = TensorFile::default();
    put(&mut file, classifier, Some(&["a {}.".to_owned()])).unwrap();
    change(&mut file);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("classifier.safetensors");
    fs_err::write(&path, file.to_bytes()).unwrap();
    read(&path, &names(), EMBED)
}

fn cosine() -> Classifier {
    let visual = ImageAdaptation::Fixed(TowerValues::prompts(PromptValues {
        values: vec![0.5, -1.0, 2.0, 0.25, 3.0, 1e-9],
        first: 0,
        blocks: 2,
        rows: 1,
        place: VisualPlace::BeforeLnPre,
        per_image: false,
        carry: 0.0,
    }));
    let cosine = Classifier::cosine(&names(), EMBED, vec![1.0, 0.0, 0.6, 0.8], 7.5);
    cosine.unwrap().with_visual(Some(visual))
}

fn projected() -> Classifier {
    let visual = ImageAdaptation::of_projection(vec![0.5, -1.0, 2.0, 0.25, 3.0, 1e-9]);
    cosine().with_visual(Some(visual))
}

/// For images of two features each.
fn fused() -> Classifier {
    let cosine = Classifier::cosine(&names(), EMBED, vec![1.0, 0.0, 0.6, 0.8], 7.5);
    cosine.unwrap().fused(vec![0.7, 1.0])
}

fn cached() -> Classifier {
    let adapter = TipAdapter {
        keys: vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8],
        values: vec![vec![1], vec![], vec![0, 1]],
        text: vec![0.0, 1.0, 1.0, 0.0],
        scale: 3.5,
        alpha: 0.1 + 0.2,
        beta: 1.0 / 3.0,
        embed: EMBED,
    };
    Classifier::of_features(&names(), EMBED, Arc::new(adapter))
}

fn linear() -> Classifier {
    let (weight, bias) = (vec![1.0, 2.0, 3.0, 4.0], vec![0.5, -0.5]);
    let head = LinearHead {
        separate: false,
        normalised: false,
        weight,
        bias,
    };
    Classifier::of_features(&names(), EMBED, Arc::new(head))
}

#[test]
fn a_scale_that_answers_alike_and_a_class_without_a_direction_are_refused() {
    let complaint = |name: &str, values: Vec<f32>| {
        let change = |file: &mut TensorFile| file.tensors.get_mut(name).unwrap().data = values;
        written(&cosine(), change).unwrap_err().to_string()
    };
    for scale in [0.0, -100.0, 1e-40, f32::INFINITY, f32::NAN] {
        let error = complaint("logit_scale", vec![scale]);
        assert!(error.contains("expected a number above 0"), "{error}");
    }
    let error = complaint("features", vec![0.0, 0.0, 0.6, 0.8]);
    assert!(error.contains("the class `a` are all 0"), "{error}");
}

#[test]
fn every_kind_comes_back_with_the_same_logits() {
    let clip = Clip::mini();
    let images = [3.0, 4.0, -0.5, 0.125];
    for classifier in [cosine(), projected(), fused(), linear(), cached()] {
        let stored = written(&classifier, |_| ()).unwrap();
        assert_eq!(stored.templates, Some(vec!["a {}.".to_owned()]));
        let back = stored.classifier.unwrap();
        assert_eq!(back.visual, classifier.visual);
        let logits = |c: &Classifier| c.logits(&clip, &images).unwrap();
        assert_eq!(logits(&back), logits(&classifier), "{classifier:?}");
    }
}

#[test]
fn a_file_without_a_kind_is_one_of_text_features() {
    let stored = written(&cosine(), |file| {
        file.metadata.clear();
        file.tensors.remove(VISUAL);
    });
    let back = stored.unwrap().classifier.unwrap();
    assert_eq!(back.text_features(), cosine().text_features());
}

#[test]
fn damage_is_named() {
    let says = |classifier: &Classifier, change: fn(&mut TensorFile), what: &str| {
        let error = written(classifier, change).unwrap_err().to_string();
        assert!(error.contains(what), "{error}: expected {what}");
    };
    says(
        &cosine(),
        |file| drop(file.tensors.remove("features")),
        "`features` is missing",
    );
    says(
        &cosine(),
        |file| drop(file.metadata.remove(PLACE)),
        "visual_place",
    );
    says(
        &projected(),
        |file| {
            let turned = Named::new(&[2, 3], vec![0.0; 6]);
            file.tensors.insert(PROJECTION.to_owned(), turned);
        },
        "`visual_projection` has shape [2, 3]: expected rows of 2",
    );
    says(
        &cosine(),
        |file| drop(file.metadata.insert(KIND.to_owned(), "oracle".to_owned())),
        "\"oracle\"",
    );
    says(
        &linear(),
        |file| drop(file.metadata.remove("normalised")),
        "normalised",
    );
    says(
        &cached(),
        |file| drop(file.metadata.remove("beta")),
        "beta = None",
    );
    says(
        &cached(),
        |file| {
            let pairs = Named::new(&[1, 2], vec![9.0, 0.0]);
            file.tensors.insert("values".to_owned(), pairs);
        },
        "the pair [9.0, 0.0]",
    );
    says(
        &cached(),
        |file| {
            let pairs = Named::new(&[1, 2], vec![0.0, 2.0]);
            file.tensors.insert("values".to_owned(), pairs);
        },
        "class 2",
    );
}

#[test]
fn a_share_that_is_none_is_refused() {
    for share in [-0.1, 1.5, f32::NAN] {
        let error = written(&fused(), |file| {
            let shares = file.tensors.get_mut(SHARES).unwrap();
            shares.data[1] = share;
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`shares` has"), "{error}");
    }
    let error = written(&fused(), |file| {
        file.tensors.remove(SHARES);
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("`shares` is missing")
    );
}
