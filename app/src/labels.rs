//! Keys and values of files as a person reads them: `rated_power_w = 132000` is a rated power of 132 kW.

use crate::format;
use model::catalog::{Catalog, CatalogEntry};
use serde::Serialize;
use serde_json::Value;

/// A place with its last key in words, and the unit that the key ends in, with what one of it is in the file's:
/// `cooling › warm › supply_temperature_c` becomes `cooling › warm › supply temperature`, °C.
pub(crate) fn label_of(place: &str) -> (String, (&'static str, f64)) {
    const UNITS: [(&str, (&str, f64)); 19] = [
        // The longer endings first: they end in shorter ones.
        ("_usd_per_w", ("$/W", 1.0)),
        ("_bytes_per_s", ("GB/s", 1e9)),
        ("_bytes", ("GB", 1e9)),
        ("_flops", ("Tflop/s", 1e12)),
        ("_capacity_w", ("kW", 1e3)),
        ("_overhead_w", ("W", 1.0)),
        ("_idle_power_w", ("W", 1.0)),
        ("_wh", ("kWh", 1e3)),
        ("_power_w", ("kW", 1e3)),
        ("_w", ("W", 1.0)),
        ("_c", ("°C", 1.0)),
        ("_k", ("K", 1.0)),
        ("_m2", ("m²", 1.0)),
        ("_m", ("m", 1.0)),
        ("_pa", ("kPa", 1e3)),
        ("_kg", ("kg", 1.0)),
        ("_usd", ("$", 1.0)),
        ("_usd_per_million", ("$/Mtok", 1.0)),
        ("_s", ("s", 1.0)),
    ];
    let (above, key) = place.rsplit_once(" › ").map_or(("", place), |(above, key)| (above, key));
    // Names of things may end in anything; keys are written with underscores.
    let unit = UNITS.iter().find(|(ending, _)| key.contains('_') && key.ends_with(ending));
    let stem = unit.map_or(key, |(ending, _)| {
        key.strip_suffix(if *ending != "_usd_per_w" && ending.ends_with("_w") { "_w" } else { ending }).unwrap_or(key)
    });
    let words = if key.contains('_') { stem.replace('_', " ") } else { key.to_owned() };
    let label = if above.is_empty() { words } else { format!("{above} › {words}") };
    (label, unit.map_or(("", 1.0), |(_, unit)| *unit))
}

/// A value as a person reads it, in a unit of which one is so much in the file's.
pub(crate) fn words(value: &Value, (unit, of_file): (&str, f64)) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) if unit == "$" => format::money(number.as_f64().unwrap_or_default()).to_string(),
        Value::Number(number) => {
            let written = number.as_f64().unwrap_or_default();
            // A board's power is read in watts, a hall's in kilowatts.
            let (unit, of_file) = if unit == "kW" && written.abs() < 1e4 { ("W", 1.0) } else { (unit, of_file) };
            let shown = written / of_file;
            // Six decimals: what a scale of a thousandth adds in binary is not the user's.
            let text = format!("{shown:.6}");
            format!("{} {unit}", text.trim_end_matches('0').trim_end_matches('.')).trim_end().to_owned()
        }
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().replace(['{', '}', '"', '[', ']'], "").replace(',', ", ")
        }
    }
}

/// The rows of one list of the catalog, every figure with its name and unit; none where there is no such list.
pub fn entries(catalog: &Catalog, list: &str) -> Option<Vec<CatalogEntry>> {
    Some(match list {
        "gpu" => rows(&catalog.gpus),
        "tray" => rows(&catalog.trays),
        "rack" => rows(&catalog.racks),
        "power" => rows(&catalog.power),
        "cooling" => rows(&catalog.cooling),
        "model" => rows(&catalog.models),
        "location" => rows(&catalog.locations),
        _ => return None,
    })
}

fn rows<T: Serialize>(rows: &[T]) -> Vec<CatalogEntry> {
    rows.iter().map(|row| entry(&serde_json::to_value(row).unwrap_or_default())).collect()
}

fn entry(row: &Value) -> CatalogEntry {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let said = ["id", "name", "maker", "availability", "source", "as_of"];
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.as_u64() == Some(0);
    let figures = row
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !empty(value))
        .filter(|(key, value)| !said.contains(&key.as_str()) && !value.is_null());
    let mut found = Vec::new();
    for (key, value) in figures {
        match value {
            // Figures of a group stand with it: `loss › a`.
            Value::Object(group) => {
                found.extend(group.iter().map(|(inner, value)| named(&format!("{key} › {inner}"), value)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                found.push(named(key, value));
            }
        }
    }
    CatalogEntry {
        id: text("id"),
        name: text("name"),
        maker: text("maker"),
        availability: text("availability"),
        figures: found,
        source: text("source"),
        as_of: text("as_of"),
    }
}

fn named(key: &str, value: &Value) -> (String, String) {
    let (label, unit) = label_of(key);
    let several = value.as_array().map(|list| list.iter().filter_map(several).collect::<Vec<_>>()).unwrap_or_default();
    let words = if several.is_empty() { words(value, unit) } else { several.join(", ") };
    (label.replace('_', " ").replace("flops › ", "arithmetic, "), words)
}

/// Some number of a part: `18 × gb200-compute-tray`.
fn several(item: &Value) -> Option<String> {
    Some(format!("{} × {}", item.get("count")?.as_u64()?, item.get("part")?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_in_words_and_units() {
        let row = serde_json::json!({"id": "u", "name": "UPS", "rated_power_w": 250_000.0, "loss": {"a": 0.007}, "source": "s",
            "heat_capacity_w": 5e6, "energy_wh": 0, "flops": {"bf16_flops": 9.89e14}, "as_of": "2026"});
        let entry = entry(&row);
        let has = |label: &str, words: &str| entry.figures.contains(&(label.to_owned(), words.to_owned()));
        assert!(
            has("rated power", "250 kW")
                && has("loss › a", "0.007")
                && has("heat capacity", "5000 kW")
                && !entry.figures.iter().any(|(label, _)| label == "energy"),
            "{entry:?}"
        );
        assert_eq!(label_of("finance › building_usd_per_w"), ("finance › building".to_owned(), ("$/W", 1.0)));
        assert_eq!(label_of("power › ups › units"), ("power › ups › units".to_owned(), ("", 1.0)));
        assert!(has("arithmetic, bf16", "989 Tflop/s"), "{entry:?}");
    }
}
