//! What a study's plan holds.

use serde_json::json;
use vlpt_study::{
    Adapted, Joint, Kind, Plan, StudyConfig, StudyMethod, TaskSpec, Transfer, ZeroShotClip,
};

fn task(name: &str) -> TaskSpec {
    TaskSpec {
        name: name.to_owned(),
        settings: json!({"images": format!("hash of {name}")}),
    }
}

fn study() -> StudyConfig {
    let tasks: Vec<_> = ["pets", "flowers", "digits"].map(task).into();
    StudyConfig {
        sources: tasks.clone(),
        targets: tasks,
        methods: ["coop", "vpt"]
            .map(|name| StudyMethod {
                name: name.to_owned(),
                recipe: json!({"lr": 0.002}),
                class_specific: false,
            })
            .into(),
        settings: json!({"model": "mini"}),
        zero_shot_clip: Some(ZeroShotClip::default()),
        zero_shot: Some(Transfer {
            shots: vec![16],
            seeds: vec![0, 1, 2],
        }),
        adapted: Some(Adapted {
            source_shots: 16,
            shots: vec![1, 16],
            seeds: vec![0],
            average_over: Vec::new(),
        }),
        co_training: Some(Transfer {
            shots: vec![16],
            seeds: vec![0],
        }),
        joint: Some(Joint {
            groups: vec![vec!["pets".into(), "digits".into()]],
            shots: vec![1],
            seeds: vec![0],
        }),
    }
}

fn count(plan: &Plan, kind: Kind) -> usize {
    plan.jobs().iter().filter(|job| job.kind == kind).count()
}

#[test]
fn shared_work_is_planned_once() {
    let plan = Plan::of(&study()).unwrap();
    assert_eq!(count(&plan, Kind::ZeroShot), 1);
    assert_eq!(count(&plan, Kind::Train), 2 * 3 * 3);
    // At 16 shots the source prompts are the baselines: only 1 shot is trained apart.
    assert_eq!(count(&plan, Kind::Single), 2 * 3);
    assert_eq!(count(&plan, Kind::CoTrain), 2 * 3, "unordered pairs");
    assert_eq!(count(&plan, Kind::Adapt), 2 * 2 * 9, "ordered pairs");
    assert_eq!(count(&plan, Kind::Joint), 2);
}

#[test]
fn an_adapted_job_starts_from_the_source_prompt_of_its_seed_and_method() {
    let plan = Plan::of(&study()).unwrap();
    for job in plan.jobs().iter().filter(|u| u.kind == Kind::Adapt) {
        let source = job.start_from.as_ref().unwrap();
        let train = &plan.jobs()[plan.place(&source.jobs[0]).unwrap()];
        assert_eq!(train.kind, Kind::Train);
        assert_eq!(train.method, job.method);
        assert_eq!(train.seed, job.seed);
        assert_eq!(train.train_on[0].name, source.tasks[0]);
        assert_eq!((train.shots, source.shots), (16, 16));
    }
}

#[test]
fn an_averaged_source_needs_all_its_seeds() {
    let mut config = study();
    config.adapted.as_mut().unwrap().average_over = vec![0, 1, 2];
    let plan = Plan::of(&config).unwrap();
    let adapt = plan.jobs().iter().find(|u| u.kind == Kind::Adapt).unwrap();
    assert_eq!(adapt.needs().len(), 3);
    assert_eq!(count(&plan, Kind::Train), 2 * 3 * 3);
}

#[test]
fn a_plan_comes_back_from_its_file_and_has_the_same_bytes_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan::of(&study()).unwrap();
    plan.write(dir.path()).unwrap();
    let again = Plan::read(dir.path()).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.to_jsonl(), Plan::of(&study()).unwrap().to_jsonl());
}

#[test]
fn a_larger_study_keeps_the_ids_of_what_it_shares_with_a_smaller_one() {
    let mut larger = study();
    larger.zero_shot.as_mut().unwrap().seeds.push(3);
    let larger = Plan::of(&larger).unwrap();
    let smaller = Plan::of(&study()).unwrap();
    assert!(smaller.ids().iter().all(|id| larger.place(id).is_some()));
}

#[test]
fn a_changed_line_is_refused_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan::of(&study()).unwrap();
    plan.write(dir.path()).unwrap();
    let path = dir.path().join("plan.jsonl");
    let text = fs_err::read_to_string(&path).unwrap();
    let changed = text.replacen("\"shots\":16", "\"shots\":8", 1);
    fs_err::write(&path, changed).unwrap();
    let error = Plan::read(dir.path()).unwrap_err().to_string();
    assert!(error.contains("plan.jsonl: line 2: id"), "{error}");
}

#[test]
fn a_folder_without_a_plan_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = Plan::read(dir.path()).unwrap_err();
    assert!(error.to_string().contains("holds no study"), "{error}");
    assert!(error.hint().unwrap().contains("study plan"));
}

#[test]
fn studies_that_make_no_sense_are_refused() {
    type Spoil = fn(&mut StudyConfig);
    let cases: [(Spoil, &str); 9] = [
        (|c| c.targets.clear(), "targets: found none"),
        (|c| c.sources.clear(), "sources: found none"),
        (|c| c.sources.push(task("pets")), "\"pets\" twice"),
        (|c| c.methods[1].name = "coop".into(), "\"coop\" twice"),
        (
            |c| c.methods[0].class_specific = true,
            "a context for each class",
        ),
        (
            |c| c.sources[0].settings = json!(1),
            "other settings than among the targets",
        ),
        (
            |c| c.zero_shot.as_mut().unwrap().seeds = vec![1, 1],
            "seeds [1, 1]",
        ),
        (
            |c| c.adapted.as_mut().unwrap().shots = vec![0],
            "adapted: found shots [0]",
        ),
        (
            |c| c.joint.as_mut().unwrap().groups[0].push("cars".into()),
            "\"cars\" in a group",
        ),
    ];
    for (spoil, message) in cases {
        let mut config = study();
        spoil(&mut config);
        let error = Plan::of(&config).unwrap_err().to_string();
        assert!(error.contains(message), "{error} has no {message}");
    }
}
