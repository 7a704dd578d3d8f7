use serde_json::Value;

use super::*;

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn the_closed_form_is_numpys() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/gda.json")).unwrap();
    for case in golden.as_array().unwrap() {
        let size = |key: &str| case[key].as_u64().unwrap() as usize;
        let views: Vec<Vec<f32>> = serde_json::from_value(case["views"].clone()).unwrap();
        let labels: Vec<u32> = serde_json::from_value(case["labels"].clone()).unwrap();
        let images: Vec<usize> = (0..labels.len()).collect();
        let (classes, width) = (size("classes"), size("width"));
        let found = Discriminant::new(&views, &images, &labels, classes, width).unwrap();
        for (found, expected) in [(found.weight, "weight"), (found.bias, "bias")] {
            let expected = floats(&case[expected]);
            assert_eq!(found.len(), expected.len());
            let largest = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-9 * largest,
                    "{found} {expected}"
                );
            }
        }
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut GdaConfig)| {
        let mut config = GdaConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(GdaConfig::default().check().is_ok());
    assert!(refused(|c| c.alpha = Searched::Value(-1.0)).contains("gda.alpha = -1"));
    assert!(refused(|c| c.grid.clear()).contains("gda.grid = []"));
    assert!(refused(|c| c.grid = vec![1.0, 0.1]).contains("rising"));
    assert!(refused(|c| c.grid[0] = 0.0).contains("above 0"));
    assert!(refused(|c| c.grid[6] = f64::NAN).contains("gda.grid"));
    assert!(refused(|c| c.init_alpha = 0.0).contains("gda.init_alpha = 0"));
}
