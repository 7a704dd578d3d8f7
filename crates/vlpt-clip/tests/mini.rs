//! The embedded model is whole.

use vlpt_clip::{Activation, Clip};

#[test]
fn the_embedded_model_is_read_whole() {
    let clip = Clip::mini();
    assert_eq!(clip.name, "mini-clip");
    assert_eq!(
        (clip.config.vision.tokens(), clip.config.vision.layers),
        (65, 8)
    );
    assert_eq!(
        (clip.config.text.vocab_size, clip.config.text.eot_token),
        (4610, 4609)
    );
    assert_eq!(clip.config.text.activation, Activation::QuickGelu);
    assert_eq!(clip.tokenizer.vocab_size(), 4610);
    assert_eq!(clip.preprocess.image_size, 64);
    assert_eq!(clip.report.parameters, clip.config.parameters());
    assert!(clip.report.ignored.is_empty(), "{:?}", clip.report.ignored);
    assert!(clip.report.notes.is_empty(), "{:?}", clip.report.notes);
    assert!(
        (1.0..=100.0).contains(&clip.logit_scale),
        "{}",
        clip.logit_scale
    );
    assert_eq!(clip.fingerprint.len(), 64);
}
