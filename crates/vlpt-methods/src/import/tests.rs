//! Names and shapes of published checkpoints, and what they are taken for.

use vlpt_clip::CheckpointTensor;

use super::*;
use crate::context::b16;
use crate::{
    Attention, CoCoOpConfig, CoOpConfig, Depth, IvlpConfig, MaPLeConfig, TcpConfig, UptConfig,
    VptConfig,
};

fn found(tensors: &[(&str, &[usize])]) -> Names {
    let tensors = tensors.iter().map(|(name, shape)| CheckpointTensor {
        name: (*name).to_owned(),
        shape: shape.to_vec(),
        dtype: "f16",
        float: true,
    });
    Names::of(tensors.collect()).unwrap()
}

fn method(tensors: &[(&str, &[usize])]) -> Result<MethodConfig, Unknown> {
    recognise(&found(tensors), &b16(), None, &ImportHints::default()).map(|found| found.method)
}

const DEEP: [(&str, &[usize]); 2] = [
    ("vpt_embeddings", &[1, 4, 768]),
    ("vpt_embeddings_deep", &[11, 4, 768]),
];

#[test]
fn every_published_method_is_known_by_its_names_and_shapes() {
    let found = method(&[
        ("ctx", &[16, 512]),
        ("token_prefix", &[100, 1, 512]),
        ("token_suffix", &[100, 60, 512]),
    ])
    .unwrap();
    let coop: &CoOpConfig = found.options();
    assert_eq!((coop.context, coop.class_specific), (Some(16), false));
    assert_eq!(coop.position, Position::End);

    let found = method(&[("ctx", &[100, 4, 512])]).unwrap();
    let coop: &CoOpConfig = found.options();
    assert_eq!((coop.context, coop.class_specific), (Some(4), true));

    let meta: [(&str, &[usize]); 4] = [
        ("meta_net.linear1.weight", &[32, 512]),
        ("meta_net.linear1.bias", &[32]),
        ("meta_net.linear2.weight", &[512, 32]),
        ("meta_net.linear2.bias", &[512]),
    ];
    for ctx in ["ctx", "cocoop_ctx"] {
        let tensors = [&meta[..], &[(ctx, &[4, 512])]].concat();
        let found = method(&tensors).unwrap();
        let cocoop: &CoCoOpConfig = found.options();
        assert_eq!((cocoop.context, cocoop.hidden), (Some(4), Some(32)));
        assert_eq!(cocoop.init, "");
    }

    let rows: [(&str, &[usize]); 5] = [
        ("ctx", &[4, 512]),
        ("meta_net.linear1.weight", &[128, 512]),
        ("meta_net.linear1.bias", &[128]),
        ("meta_net.linear2.weight", &[2048, 128]),
        ("meta_net.linear2.bias", &[2048]),
    ];
    let found = method(&rows).unwrap();
    let tcp: &TcpConfig = found.options();
    assert_eq!((tcp.context, tcp.hidden), (Some(4), Some(128)));
    let mut odd = rows;
    odd[3].1 = &[1024, 128];
    let error = method(&odd).unwrap_err();
    assert!(matches!(error, Unknown::Tensors("tcp", _)), "{error:?}");

    let found = method(&DEEP).unwrap();
    let vpt: &VptConfig = found.options();
    assert_eq!((vpt.count, vpt.depth, vpt.project), (4, Depth::Deep, 0));
    assert_eq!(vpt.place, Place::AfterLnPre);

    let found = method(&[
        ("vpt_embeddings", &[1, 8, 64]),
        ("vpt_proj.weight", &[768, 64]),
        ("vpt_proj.bias", &[768]),
    ])
    .unwrap();
    let vpt: &VptConfig = found.options();
    assert_eq!((vpt.count, vpt.depth, vpt.project), (8, Depth::Shallow, 64));

    let joint = [&DEEP[..], &[("ctx", &[4, 512])]].concat();
    let found = method(&joint).unwrap();
    let (coop, vpt): (&CoOpConfig, &VptConfig) = (found.options(), found.options());
    assert_eq!((coop.context, vpt.count), (Some(4), 4));
    assert_eq!(coop.position, Position::Middle);
}

#[test]
fn upt_is_known_under_both_spellings_and_computes_as_its_code_did() {
    for spelling in ["mvlpt_proj", "upt_proj"] {
        let weight = format!("{spelling}.resblocks.0.attn.out_proj.weight");
        let tensors = [
            &DEEP[..],
            &[("ctx", &[4, 512]), (weight.as_str(), &[128, 128])],
        ]
        .concat();
        let found = recognise(&found(&tensors), &b16(), None, &ImportHints::default()).unwrap();
        let upt: &UptConfig = found.method.options();
        assert_eq!((upt.text_count, upt.visual_count), (4, 4));
        assert_eq!((upt.width, upt.depth), (Some(128), Some(Depth::Deep)));
        assert_eq!(upt.attention, Attention::Tokenwise);
        assert_eq!(upt.position, Position::Middle);
        assert_eq!(found.source, Source::Mvlpt);
        assert!(found.assumed.iter().any(|text| text.contains("attention")));
    }
}

#[test]
fn maple_is_known_by_its_layers_and_its_words_by_the_number_of_prompts() {
    for (count, words) in [(2, "a photo of a"), (4, "a photo of a"), (5, "")] {
        let prompts = [count, 512];
        let tensors: [(&str, &[usize]); 5] = [
            ("prompt_learner.ctx", &prompts),
            ("prompt_learner.proj.weight", &[768, 512]),
            ("prompt_learner.proj.bias", &[768]),
            ("prompt_learner.compound_prompts_text.0", &prompts),
            ("prompt_learner.compound_prompts_text.1", &prompts),
        ];
        let hints = ImportHints::default();
        let found = recognise(&found(&tensors), &b16(), None, &hints).unwrap();
        assert_eq!(found.source, Source::Own);
        assert_eq!(found.assumed.len(), 1, "{:?}", found.assumed);
        let expected = MaPLeConfig {
            context: count,
            depth: Some(3),
            init: words.to_owned(),
        };
        assert_eq!(found.method, MethodConfig::from(expected));
    }
    let Err(Unknown::Sizes(sizes)) = method(&[("ctx", &[2, 512]), ("proj.weight", &[1024, 512])])
    else {
        panic!("accepted");
    };
    assert_eq!(
        sizes,
        ["the width of what `proj` makes is 1024, that of the image tower 768"]
    );
    let misshapen = method(&[("ctx", &[2, 512]), ("proj.weight", &[768])]);
    assert!(matches!(misshapen, Err(Unknown::Tensors("maple", _))));
}

#[test]
fn buffers_and_the_base_model_are_left_and_prefixes_taken_off() {
    let names = found(&[
        ("module.prompt_learner.ctx", &[4, 512]),
        ("module.prompt_learner.token_prefix", &[10, 1, 512]),
        ("module.image_encoder.conv1.weight", &[768, 3, 16, 16]),
    ]);
    assert_eq!(names.tensors["ctx"].name, "module.prompt_learner.ctx");
    assert_eq!(names.tensors.len(), 1);
    let left: Vec<&str> = names.left.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(
        left,
        [
            "module.prompt_learner.token_prefix",
            "module.image_encoder.conv1.weight"
        ]
    );
}

#[test]
fn two_tensors_that_are_one_parameter_are_refused() {
    let tensor = |name: &str| CheckpointTensor {
        name: name.to_owned(),
        shape: vec![4, 512],
        dtype: "f32",
        float: true,
    };
    let error = Names::of(vec![tensor("ctx"), tensor("cocoop_ctx")]).unwrap_err();
    assert_eq!(
        error,
        "`ctx` and `cocoop_ctx` are the same parameter, `ctx`"
    );
}

#[test]
fn sizes_of_another_model_are_all_named() {
    let tensors: [(&str, &[usize]); 3] = [
        ("ctx", &[4, 768]),
        ("vpt_embeddings", &[1, 4, 1024]),
        ("vpt_embeddings_deep", &[23, 4, 1024]),
    ];
    let Err(Unknown::Sizes(sizes)) = method(&tensors) else {
        panic!("accepted");
    };
    assert_eq!(
        sizes,
        [
            "the width of `ctx` is 768, that of the text tower 512",
            "the width of `vpt_embeddings` is 1024, that of the image tower 768",
            "the number of blocks of `vpt_embeddings_deep` is 23, the image tower's blocks after \
             the first are 11",
        ]
    );
}

#[test]
fn tensors_of_no_method_and_strange_shapes_are_refused() {
    assert_eq!(method(&[("fc.weight", &[10, 512])]), Err(Unknown::Method));
    assert_eq!(
        method(&[("ctx", &[4, 512]), ("mvlpt_proj_ctx_coop_pre.bias", &[128])]),
        Err(Unknown::Method)
    );
    let Err(Unknown::Tensors("coop", problems)) = method(&[("ctx", &[512])]) else {
        panic!("accepted");
    };
    assert_eq!(
        problems,
        ["`ctx` has shape [512]: expected tokens x text width, or classes before it"]
    );
    let Err(Unknown::Tensors("cocoop", problems)) =
        method(&[("ctx", &[4, 512]), ("meta_net.linear1.weight", &[32])])
    else {
        panic!("accepted");
    };
    assert_eq!(
        problems,
        ["`meta_net.linear1.weight` has shape [32]: expected hidden x embed"]
    );
}

#[test]
fn options_say_what_shapes_cannot() {
    let ctx: [(&str, &[usize]); 1] = [("ctx", &[16, 512])];
    let with = |hints: ImportHints| recognise(&found(&ctx), &b16(), None, &hints);
    let position =
        |hints: ImportHints| with(hints).unwrap().method.options::<CoOpConfig>().position;
    let mvlpt = ImportHints {
        source: Some(Source::Mvlpt),
        ..ImportHints::default()
    };
    assert_eq!(position(mvlpt), Position::Middle);
    let front = ImportHints {
        position: Some(Position::Front),
        ..mvlpt
    };
    assert!(with(front).unwrap().assumed.is_empty());
    assert_eq!(position(front), Position::Front);
    let place = ImportHints {
        place: Some(Place::BeforeLnPre),
        ..ImportHints::default()
    };
    let Err(Unknown::Option(text)) = with(place) else {
        panic!("accepted");
    };
    assert_eq!(
        text,
        "the checkpoint is of coop, which has no visual prompts"
    );
    let unknown = recognise(&found(&ctx), &b16(), Some("none"), &ImportHints::default());
    assert!(matches!(unknown, Err(Unknown::Option(text)) if text.contains("cocoop")));
}

/// Passing as CoOp, it would lose its visual prompts without a word.
#[test]
fn prompts_inside_the_towers_are_no_coop() {
    let names = found(&[
        ("prompt_learner.ctx", &[4, 512]),
        (
            "image_encoder.transformer.resblocks.1.VPT_shallow",
            &[4, 768],
        ),
        ("image_encoder.conv1.weight", &[768, 3, 16, 16]),
    ]);
    assert_eq!(names.tensors.len(), 2);
    let coop = importable()
        .find(|(spec, _)| spec.name == "coop")
        .unwrap()
        .1;
    assert!(!(coop.matches)(&names));
}

const TOWERS: [(&str, &[usize]); 6] = [
    ("prompt_learner.ctx", &[4, 512]),
    ("image_encoder.VPT", &[2, 768]),
    (
        "image_encoder.transformer.resblocks.1.VPT_shallow",
        &[2, 768],
    ),
    (
        "text_encoder.transformer.resblocks.1.VPT_shallow",
        &[4, 512],
    ),
    (
        "text_encoder.transformer.resblocks.2.VPT_shallow",
        &[4, 512],
    ),
    ("text_encoder.ln_final.weight", &[512]),
];

/// Both have the same prompts; PromptSRC's files also have the tower that it was compared with.
#[test]
fn prompts_in_both_towers_are_ivlps_and_beside_a_teacher_promptsrcs() {
    let teacher: (&str, &[usize]) = ("prompt_learner.ZS_image_encoder.proj", &[768, 512]);
    for (name, tensors) in [
        ("ivlp", TOWERS.to_vec()),
        ("promptsrc", [&TOWERS[..], &[teacher]].concat()),
    ] {
        let names = found(&tensors);
        let left: Vec<&str> = names.left.iter().map(|left| left.name.as_str()).collect();
        let expected: Vec<&str> = tensors[5..].iter().map(|(name, _)| *name).collect();
        assert_eq!(left, expected);
        let known = method(&tensors).unwrap();
        assert_eq!(known.name(), name);
        let ivlp: &IvlpConfig = known.options();
        assert_eq!((ivlp.context, ivlp.prompts), (Some(4), 2));
        assert_eq!((ivlp.depth_text, ivlp.depth_visual), (Some(3), Some(2)));
        assert_eq!(ivlp.init, "");
    }
}

#[test]
fn prompts_in_towers_of_other_sizes_or_shapes_are_refused() {
    let mut tensors = TOWERS;
    tensors[1].1 = &[2, 1024];
    let Err(Unknown::Sizes(sizes)) = method(&tensors) else {
        panic!("accepted");
    };
    assert_eq!(
        sizes,
        ["the width of `image_encoder.VPT` is 1024, that of the image tower 768"]
    );
    tensors[1].1 = &[2];
    let Err(Unknown::Tensors("ivlp", problems)) = method(&tensors) else {
        panic!("accepted");
    };
    assert_eq!(
        problems,
        ["`image_encoder.VPT` has shape [2]: expected prompts x image width"]
    );
    // Without visual prompts of the first block it is none of these.
    let rest: Vec<_> = [&TOWERS[..1], &TOWERS[2..]].concat();
    assert_eq!(method(&rest), Err(Unknown::Method));
}

/// What was learned beside the prompt learner is never taken for the base model's.
#[test]
fn learned_tensors_beside_the_learner_are_kept_to_be_known_or_refused() {
    let frozen: [(&str, &[usize]); 3] = [
        ("prompt_learner.ctx", &[4, 512]),
        ("image_encoder.conv1.weight", &[768, 3, 16, 16]),
        ("text_encoder.transformer.resblocks.0.ln_1.weight", &[512]),
    ];
    let names = found(&frozen);
    assert_eq!(names.tensors.keys().collect::<Vec<_>>(), ["ctx"]);
    assert_eq!(names.left.len(), 2);
    for learned in [
        "image_encoder.prompt_embeddings",
        "image_encoder.transformer.resblocks.2.adapter.down.weight",
        "adapter.fc.0.weight",
        "text_encoder.transformer.resblocks.0.VPT_shallow",
    ] {
        let names = found(&[&frozen[..], &[(learned, &[4, 512])]].concat());
        assert!(names.has(learned), "{learned}");
    }
}
