//! JSON whose bytes depend on its content alone.

use serde_json::{Map, Value};

/// JSON without spaces and with sorted keys: equal values give equal bytes.
pub(crate) fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|&(key, _)| key);
            let entries = entries.into_iter().map(|(k, v)| (k.clone(), sorted(v)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_json_does_not_know_the_order_of_keys() {
        let one = json!({"b": [{"y": 1, "x": 2.5}], "a": null});
        let two = json!({"a": null, "b": [{"x": 2.5, "y": 1}]});
        assert_eq!(canonical(&one), r#"{"a":null,"b":[{"x":2.5,"y":1}]}"#);
        assert_eq!(canonical(&one), canonical(&two));
    }
}
