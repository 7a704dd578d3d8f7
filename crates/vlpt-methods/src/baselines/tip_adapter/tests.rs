use super::*;

fn example() -> TipAdapter {
    let wave = |from: usize, count: usize| -> Vec<f32> {
        (from..from + count)
            .map(|i| (i as f32 * 1.3).sin())
            .collect()
    };
    let mut text = wave(100, 3 * 4);
    text.chunks_exact_mut(4).for_each(normalise);
    let values = [0, 1, 2, 0, 1].map(|class| vec![class]).to_vec();
    let views = [wave(0, 5 * 4), wave(50, 5 * 4)];
    let views: Vec<&[f32]> = views.iter().map(Vec::as_slice).collect();
    TipAdapter::new(&views, values, text, 4, 10.0, (1.5, 3.0)).unwrap()
}

fn images() -> Vec<f32> {
    (0..3 * 4).map(|i| (i as f32 * 0.9).cos() * 2.0).collect()
}

#[test]
fn without_weight_the_cache_leaves_zero_shot() {
    let adapter = TipAdapter {
        alpha: 0.0,
        ..example()
    };
    let logits = adapter.logits(&images()).unwrap();
    for (image, row) in images().chunks_exact(4).zip(logits.chunks_exact(3)) {
        let mut unit = image.to_vec();
        normalise(&mut unit);
        for (text, logit) in adapter.text.chunks_exact(4).zip(row) {
            let cosine: f32 = unit.iter().zip(text).map(|(a, b)| a * b).sum();
            assert!((10.0 * cosine - logit).abs() < 1e-5);
        }
    }
}

#[test]
fn an_image_of_the_cache_has_the_whole_weight_of_its_key() {
    let adapter = example();
    let key = &adapter.keys[..4];
    let affinities = adapter.affinities(key).unwrap();
    let own = adapter.cache(&affinities, 3.0, |_, key| key == 0);
    assert!((own[0] - 1.0).abs() < 1e-6 && own[1..] == [0.0, 0.0]);
}

#[test]
fn parts_give_the_same_logits_as_the_whole() {
    let adapter = example();
    let parts = adapter.affinities(&images()).unwrap();
    let cache = adapter.cache(&parts, adapter.beta, |_, _| true);
    let whole = adapter.logits(&images()).unwrap();
    for ((zero_shot, cache), logit) in parts.zero_shot.iter().zip(&cache).zip(whole) {
        assert!((zero_shot + adapter.alpha * cache - f64::from(logit)).abs() < 1e-5);
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let adapter = example();
    let labels: [&[u32]; 3] = [&[2], &[0, 1], &[]];
    let found = adapter.step(&images(), &labels).unwrap();
    for i in 0..adapter.keys.len() {
        let at = |by: f32| {
            let mut moved = adapter.clone();
            moved.keys[i] += by;
            // The step that f32 really took.
            let taken = f64::from(moved.keys[i]) - f64::from(adapter.keys[i]);
            (moved.step(&images(), &labels).unwrap().loss, taken)
        };
        let ((up, right), (down, left)) = (at(1e-3), at(-1e-3));
        let slope = (up - down) / (right - left);
        assert!(
            (slope - f64::from(found.d_keys[i])).abs() < 1e-5,
            "key value {i}"
        );
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let refused = |change: fn(&mut TipAdapter)| {
        let mut adapter = example();
        change(&mut adapter);
        adapter.logits(&images()).unwrap_err().to_string()
    };
    assert!(refused(|a| a.keys.truncate(3)).contains("5 x 4"));
    assert!(refused(|a| a.values[0] = vec![3]).contains("below 3"));
    assert!(refused(|a| a.beta = f64::NAN).contains("finite"));
    assert!(example().logits(&[0.0; 3]).is_err());
    assert!(example().step(&images(), &[&[0]]).is_err());
    assert!(TipAdapter::new(&[], vec![vec![0]], vec![1.0], 1, 1.0, (1.0, 1.0)).is_err());
}

#[test]
fn twenty_steps_of_tip_adapter_f_are_pytorchs() {
    let path = include_str!("../../../tests/golden/baselines.json");
    let golden: serde_json::Value = serde_json::from_str(path).unwrap();
    let case = &golden["tip_adapter"];
    let floats =
        |value: &serde_json::Value| -> Vec<f32> { serde_json::from_value(value.clone()).unwrap() };
    let number = |key: &str| case[key].as_f64().unwrap();
    let size = |key: &str| number(key) as usize;
    let views = [floats(&case["views"][0]), floats(&case["views"][1])];
    let labels = floats(&case["labels"]).into_iter().map(|c| vec![c as u32]);
    let labels: Vec<Vec<u32>> = labels.collect();
    let mut adapter = TipAdapter::new(
        &[&views[0], &views[1]],
        labels.clone(),
        floats(&case["text"]),
        size("width"),
        number("scale") as f32,
        (number("alpha"), number("beta")),
    )
    .unwrap();
    let orders: Vec<Vec<usize>> = serde_json::from_value(case["orders"].clone()).unwrap();
    let config = TipAdapterConfig {
        epochs: orders.len(),
        lr: number("rate"),
        batch_size: size("batch"),
        weight_decay: number("weight_decay"),
        eps: number("eps"),
        ..TipAdapterConfig::default()
    };
    let shots = finetune::Shots {
        views: &views,
        labels: &labels,
    };
    let epochs = finetune::train(
        &mut adapter,
        &shots,
        &config,
        |epoch| orders[epoch].clone(),
        &(),
    )
    .unwrap();
    let losses = floats(&case["losses"]);
    assert_eq!(losses.len(), 20);
    // Batches of 4, 4, 4 and 3 images.
    for (epoch, steps) in epochs.iter().zip(losses.chunks_exact(4)) {
        let weights = [4.0, 4.0, 4.0, 3.0];
        let sum: f64 = steps
            .iter()
            .zip(weights)
            .map(|(&l, w)| f64::from(l) * w)
            .sum();
        assert!((epoch.loss - sum / 15.0).abs() < 1e-4, "{epoch:?}");
    }
    let apart = |found: &[f32], expected: &serde_json::Value| {
        let expected = floats(expected);
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(&expected);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(apart(&adapter.keys, &case["keys"]) < 1e-5);
    let logits = adapter.logits(&floats(&case["tests"])).unwrap();
    assert!(apart(&logits, &case["after"]) < 1e-4);
}
