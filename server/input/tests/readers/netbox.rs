//! NetBox's device and rack types: what they hold becomes parts, what they lack is told, what is broken is refused.

use model::catalog::PartsRead;
use model::part::{PowerKind, RackKind, TrayDepth};

const SERVER: &str = "---
manufacturer: Acme
model: G8
slug: acme-g8
u_height: 8.0
is_full_depth: true
weight: 287.6
weight_unit: lb
airflow: front-to-rear
power-ports:
  - name: PSU1
    type: iec-60320-c20
    maximum_draw: 3300
  - name: PSU2
    type: iec-60320-c20
    maximum_draw: 3300
    allocated_draw: 1700
interfaces:
  - {name: eth0, type: 400gbase-x-qsfpdd}
module-bays:
  - name: GPU 1
  - name: GPU 2
";

const RACK: &str = "manufacturer: Acme
model: Deep 48
slug: acme_deep_48
form_factor: 4-post-cabinet
width: 19
u_height: 48
starting_unit: 1
outer_width: 29.5
outer_height: 90
outer_unit: in
weight: 150
max_weight: 1500
weight_unit: kg
";

fn read(text: &str) -> PartsRead {
    input::netbox("types.yaml", text.as_bytes(), "2026-11").unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str, words: &str) {
    let error = input::netbox("types.yaml", text.as_bytes(), "2026-11").expect_err(words).to_string();
    assert!(error.contains(words) && error.starts_with("types.yaml"), "{error}, where {words:?} was due");
}

fn remarked(read: &PartsRead, words: &str) {
    assert!(read.remarks.iter().any(|remark| remark.contains(words)), "no {words:?} in {:?}", read.remarks);
}

#[test]
fn a_server_becomes_a_tray() {
    let found = read(SERVER);
    let tray = &found.parts.trays[0];
    assert_eq!((tray.id.as_str(), tray.name.as_str()), ("acme-g8", "Acme G8"));
    assert!((tray.rated_power.as_watts() - 5000.0).abs() < 1e-9);
    assert!((tray.mass.as_kilograms() - 130.453).abs() < 1e-3);
    assert!((tray.height_units - 8.0).abs() < 1e-12);
    remarked(&found, "the sum of its 2 inlets");
    remarked(&found, "rated by what its inlets are allocated");
    let none = read(&SERVER.replace("allocated_draw: 1700", "allocated_draw: 0"));
    assert!((none.parts.trays[0].rated_power.as_watts() - 6600.0).abs() < 1e-9, "nothing allocated hides no maximum");
    remarked(&found, "2 bays for GPUs");
    remarked(&found, "no price");
}

#[test]
fn several_documents_become_several_parts() {
    let switch = "---\nmanufacturer: Acme\nmodel: 7060\nslug: acme-7060\nu_height: 1\nis_full_depth: false\npower-ports:\n  - {name: a, type: iec-60320-c14}\n  - {name: b, type: iec-60320-c14}\n";
    let pdu = "---\nmanufacturer: Acme\nmodel: Strip\nslug: acme-strip\nu_height: 0\nis_full_depth: false\npower-ports:\n  - {name: in, type: iec-60309-p-n-e-6h}\npower-outlets:\n  - {name: '1', type: iec-60320-c13}\n";
    let found = read(&format!("{SERVER}{switch}{pdu}---\n{RACK}"));
    // The strip is a part of the power tree, and stands upright in a rack.
    assert_eq!(found.parts.rows().count(), 5);
    assert!(found.parts.trays[2].height_units.abs() < 1e-12 && found.parts.trays[2].id == found.parts.power[0].id);
    let switch = &found.parts.trays[1];
    assert_eq!(switch.name, "Acme 7060");
    assert_eq!(switch.depth, TrayDepth::Half);
    assert!((switch.rated_power.as_watts() - 2300.0).abs() < 1e-9);
    remarked(&found, "rated at 2.30 kW, the most that its 2 inlets carry");
    assert_eq!(found.parts.power[0].kind, PowerKind::Pdu);
    assert!((found.parts.power[0].rated_power.as_watts() - 7360.0).abs() < 1e-9);
    let rack = &found.parts.racks[0];
    assert_eq!((rack.id.as_str(), rack.kind), ("acme_deep_48", RackKind::Cabinet));
    assert!((rack.width.as_metres() - 0.7493).abs() < 1e-9 && (rack.height.as_metres() - 2.286).abs() < 1e-9);
    assert!((rack.depth.as_metres() - 1.2).abs() < 1e-12);
    remarked(&found, "no outer depth");
}

#[test]
fn what_nothing_bounds_is_left_out_and_told() {
    let dark = "manufacturer: A\nmodel: B\nslug: a-b\nu_height: 1\nis_full_depth: true\npower-ports:\n  - {name: x, type: dc-terminal}\n";
    let found = read(dark);
    assert_eq!(found.parts.rows().count(), 0);
    remarked(&found, "add `maximum_draw`");
    let passive = "manufacturer: A\nmodel: Panel\nslug: a-p\nu_height: 1\nis_full_depth: false\nis_powered: false\nweight: 1\nweight_unit: kg\nnew_field: 3\n";
    let found = read(passive);
    assert!(found.parts.trays[0].rated_power.as_watts().abs() < 1e-12);
    remarked(&found, "not read: \"new_field\"".replace('"', "").as_str());
    let chassis = "manufacturer: A\nmodel: Box\nslug: a-box\nu_height: 2\nis_full_depth: true\nsubdevice_role: parent\nweight: 30\nweight_unit: kg\ndevice-bays:\n  - name: Node A\n  - name: Node B\n";
    remarked(&read(chassis), "nor does it say what stands in its 2 bays");
    remarked(&read("manufacturer: A\nmodel: M\nweight: 1\nweight_unit: kg\n"), "it is a module");
}

#[test]
fn what_is_broken_is_refused_with_its_line() {
    refused("", "is empty");
    refused("manufacturer: [A\n", "line");
    refused(&SERVER.replace("u_height: 8.0", "u_height: tall"), "line 5: it can't be read as a NetBox type: ");
    refused(&SERVER.replace("u_height: 8.0", "u_height: -8"), "`u_height` is -8");
    refused(&SERVER.replace("u_height: 8.0", "u_height: .nan"), "(in `u_height`)");
    refused(&SERVER.replace("weight_unit: lb", "weight_unit: stone"), "line 8");
    refused(&SERVER.replace("weight_unit: lb\n", ""), "needs a `weight_unit`");
    refused(&SERVER.replace("u_height", "u_hieght"), "is a device without its `u_height`");
    refused(&SERVER.replace("manufacturer: Acme\n", ""), "no `manufacturer`");
    refused(&RACK.replace("outer_unit: in\n", ""), "`outer_unit`");
    refused("- 1\n- 2\n", "line 1");
    refused("\u{1}", "not text");
    refused(&"x".repeat(2 << 20), "more than 1048576 bytes");
}

#[test]
fn bombs_end_soon() {
    let level = |(own, before): (char, char)| format!("{own}: &{own} [{}]\n", vec![format!("*{before}"); 9].join(", "));
    let levels: String = "bcdefghij".chars().zip("abcdefghi".chars()).map(level).collect();
    let bomb = format!("a: &a [x, x, x, x, x, x, x, x, x]\n{levels}manufacturer: A\nmodel: *j\n");
    assert!(input::netbox("bomb.yaml", bomb.as_bytes(), "2026-11").is_err());
    let deep = format!("power-ports: {}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(input::netbox("deep.yaml", deep.as_bytes(), "2026-11").is_err());
}

proptest::proptest! {
    /// Any text gives parts or words, never a panic; what it gives has finite figures.
    #[test]
    fn law_any_text_is_read_or_refused(cut in 0_usize..600, put in "[-a-z0-9:{}\\[\\]&*!|> \\n]{0,12}") {
        let whole = format!("{SERVER}---\n{RACK}");
        let at = whole.char_indices().nth(cut).map_or(whole.len(), |(at, _)| at);
        let text = format!("{}{put}{}", &whole[..at], &whole[at..]);
        if let Ok(found) = input::netbox("x.yaml", text.as_bytes(), "2026-11") {
            proptest::prop_assert!(found.parts.trays.iter().all(|tray| tray.rated_power.as_watts().is_finite()));
        }
    }
}
