use super::*;

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A task of these classes, an image of each in its test split.
fn task(name: &str, classes: &[&str]) -> Task {
    let drawn = vlpt_data::synthetic::task("shapes", 0).unwrap();
    let images = drawn.test.samples.iter().cycle().zip(0..classes.len());
    let samples = images.map(|(sample, class)| vlpt_data::Sample {
        labels: vec![class as u32],
        ..sample.clone()
    });
    Task {
        name: name.to_owned(),
        classes: list(classes),
        train: Split::default(),
        val: None,
        test: Split::new(samples.collect()),
        ..drawn
    }
}

#[test]
fn the_prompts_classes_stay_the_choices_where_the_data_has_fewer() {
    let known = list(&["circle", "square", "triangle"]);
    for (classes, of_data) in [
        (&["circle"][..], &[0][..]),
        (&["Triangle"], &[2]),
        (&["triangle", "circle", "square"], &[2, 0, 1]),
    ] {
        let task = task("few", classes);
        let choices = Choices::of(&known, &task, None).unwrap();
        assert_eq!(choices.of, ClassesOf::Prompt);
        assert_eq!(choices.of_data, of_data);
        let judged = choices.relabelled(&task);
        assert_eq!(judged.classes, known);
        let labels: Vec<u32> = judged.test.samples.iter().map(|s| s.labels[0]).collect();
        assert_eq!(
            labels,
            of_data.iter().map(|&c| c as u32).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_class_that_the_prompt_does_not_know_is_named() {
    let known = list(&["circle", "square", "triangle"]);
    // Partly known, and one unknown class alone, which would always be right.
    for classes in [&["circle", "hexagon"][..], &["hexagon"]] {
        let error = Choices::of(&known, &task("other", classes), None).unwrap_err();
        assert!(
            error.to_string().contains("hexagon; these are: circle"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("--classes-of data"));
    }
    // Other classes altogether: a prompt used elsewhere; unless the prompt's were asked for.
    let elsewhere = task("other", &["cat", "dog"]);
    let choices = Choices::of(&known, &elsewhere, None).unwrap();
    assert_eq!((choices.of, choices.rows), (ClassesOf::Data, None));
    assert!(Choices::of(&known, &elsewhere, Some(ClassesOf::Prompt)).is_err());
}

#[test]
fn the_datas_classes_can_be_asked_for() {
    let known = list(&["circle", "square", "triangle"]);
    let asked = Some(ClassesOf::Data);
    let choices = Choices::of(&known, &task("few", &["Triangle", "circle"]), asked).unwrap();
    assert_eq!(choices.classes, ["Triangle", "circle"]);
    assert_eq!(choices.rows, Some(vec![2, 0]), "rows of what was learned");
    let choices = Choices::of(&known, &task("few", &["circle", "hexagon"]), asked).unwrap();
    assert_eq!(choices.rows, None);
}

#[test]
fn data_of_one_of_several_tasks_is_told_apart_by_its_classes_alone() {
    let known = list(&["red", "blue", "cat", "dog", "red", "green"]);
    let parts = ["colours", "pets", "lights"].map(|name| match name {
        "colours" => Part {
            name,
            classes: (0, 2),
        },
        "pets" => Part {
            name,
            classes: (2, 4),
        },
        _ => Part {
            name,
            classes: (4, 6),
        },
    });
    let of = |name: &str, classes: &[&str]| {
        Choices::with_parts(&known, &parts, &task(name, classes), None)
    };
    let choices = of("photos", &["Dog"]).unwrap();
    assert_eq!(choices.classes, ["cat", "dog"]);
    assert_eq!((choices.of_data, choices.rows), (vec![1], Some(vec![2, 3])));
    // In two of them: by name, or not at all.
    assert_eq!(of("lights", &["red"]).unwrap().rows, Some(vec![4, 5]));
    let error = of("photos", &["red"]).unwrap_err();
    assert!(error.to_string().contains("colours, lights"), "{error}");
    assert!(error.hint().unwrap().contains("--name colours"));
    // Of several tasks: among all classes, where these have one place each.
    let choices = of("photos", &["blue", "cat"]).unwrap();
    assert_eq!((choices.classes.len(), choices.of_data), (6, vec![1, 2]));
    assert!(of("photos", &["red", "cat"]).is_err());
}
