//! What the catalog promises: every row is sourced and possible, every reference design parses and names rows that
//! exist, and every refusal says where.

use super::*;
use model::catalog::Catalog;
use model::design::Design;
use model::id::PartId;

fn shipped() -> Catalog {
    catalog().unwrap()
}

const GPU: &str = r#"
[[gpu]]
id = "mine"
name = "Mine"
maker = "me"
board_power_w = 500
idle_power_w = 50
min_power_cap_w = 100
memory_bytes = 80e9
memory_bandwidth_bytes_per_s = 2e12
flops = { bf16_flops = 300e12 }
link_bandwidth_bytes_per_s = 300e9
source = "measured on our bench, log of May"
as_of = "2026-05"
"#;

/// The problems of our GPU with one line of it changed.
fn problems_with(line: &str, instead: &str) -> Vec<String> {
    assert!(GPU.contains(line), "{line}");
    let own = parse_catalog("my.toml", &GPU.replace(line, instead)).unwrap();
    check(&own).iter().map(ToString::to_string).collect()
}

#[test]
fn every_row_is_sourced_and_possible() {
    let problems: Vec<String> = check(&shipped()).iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_shelves_are_full() {
    let all = shipped();
    for id in [
        "a100-sxm-80",
        "h100-sxm",
        "h200-sxm",
        "b200-sxm",
        "b300-sxm",
        "gb200",
        "gb300",
        "vr200",
        "mi300x",
        "mi325x",
        "mi355x",
        "mi450",
        "l40s",
        "rtx-pro-6000",
    ] {
        assert!(all.gpu(&id.parse().unwrap()).is_some(), "{id}");
    }
    assert!(all.locations.len() >= 14 && all.models.len() >= 11, "{} {}", all.locations.len(), all.models.len());
    let nvl72 = all.rack(&"gb200-nvl72".parse().unwrap()).unwrap();
    assert_eq!(nvl72.domain_gpus, 72);
    assert!(all.rack(&"vr-nvl144".parse().unwrap()).is_some());
}

#[test]
fn a_good_row_has_no_problem() {
    assert_eq!(check(&parse_catalog("my.toml", GPU).unwrap()), Vec::new());
}

#[test]
fn a_row_without_its_origin_is_refused() {
    let missing = GPU.replace("source = \"measured on our bench, log of May\"\n", "");
    let error = parse_catalog("my.toml", &missing).unwrap_err().to_string();
    assert!(error.starts_with("my.toml, line 2: `source` is missing"), "{error}");
    assert_eq!(
        problems_with("measured on our bench, log of May", "me"),
        ["gpu mine: source does not say where the figures come from"]
    );
    assert_eq!(
        problems_with("2026-05", "May 2026"),
        ["gpu mine: as_of is \"May 2026\", but must be a year or a month, as 2026-11"]
    );
    assert_eq!(problems_with("2026-05", "2026-13").len(), 1);
    assert!(problems_with("2026-05", "2026").is_empty());
}

#[test]
fn an_impossible_figure_is_refused() {
    assert_eq!(
        problems_with("board_power_w = 500", "board_power_w = 0"),
        [
            "gpu mine: board_power_w is 0, but must be above 0",
            "gpu mine: min_power_cap_w is 100, above board_power_w of 0"
        ]
    );
    let tray = |text: &str| {
        let own = format!(
            "[[tray]]\nid = \"T 1\"\nname = \"T\"\nmaker = \"me\"\nrated_power_w = 1000\noverhead_idle_w = 100\n\
             overhead_busy_w = 300\nliquid_fraction = 0.5\nheight_units = 1\nmass_kg = 10\nprice_usd = 1\n\
             source = \"our bench, log of May\"\nas_of = \"2026-05\"\n{text}"
        );
        check(&parse_catalog("my.toml", &own).unwrap().with(parse_catalog("gpu.toml", GPU).unwrap()))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(tray("").len(), 1, "its id has a space");
    let two = tray("gpu = \"mine\"\ngpu_count = 2");
    assert!(two.iter().any(|p| p.contains("is 1300, above rated_power_w of 1000")), "{two:?}");
    let lost = tray("gpu = \"yours\"\ngpu_count = 1");
    assert!(lost.iter().any(|p| p.contains("gpu yours is not in the catalog")), "{lost:?}");
}

#[test]
fn an_impossible_place_is_refused() {
    let mut all = shipped();
    all.locations.truncate(1);
    all.locations[0].grid.price_hour_shape[0] += 2.0;
    all.locations[0].climate.dew_point_mean_c[6] = 60.0;
    let found: Vec<String> = check(&all).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("dew_point_mean_c of month 7 is 60"), "{}", found[0]);
    assert!(found[1].contains("mean of price_hour_shape"), "{}", found[1]);
}

#[test]
fn the_same_name_twice_and_a_dangling_rack_are_refused() {
    let mut all = shipped();
    let again = all.gpus[0].clone();
    all.gpus.push(again);
    all.trays.clear();
    let shelf: PartId = "ups-1250kw".parse().unwrap();
    for rack in &mut all.racks {
        if let Some(of) = &mut rack.power_shelf {
            of.part = shelf.clone();
        }
    }
    let found: Vec<String> = check(&all).iter().map(ToString::to_string).collect();
    for part in [
        "gpu a100-sxm-80: stands twice in its list",
        "rack gb200-nvl72: tray gb200-compute-tray is not in the catalog",
        "rack gb200-nvl72: ups-1250kw is no power-shelf",
    ] {
        assert!(found.iter().any(|p| p == part), "{part}");
    }
}

#[test]
fn every_reference_design_parses_and_names_rows_that_exist() {
    let all = shipped();
    for reference in designs() {
        let design = parse_design(reference.id, reference.text).unwrap();
        assert!(all.location(&design.location).is_some(), "{}: {}", reference.id, design.location);
        assert!(all.model(&design.service.model).is_some(), "{}: {}", reference.id, design.service.model);
        for group in &design.power {
            assert!(all.power(&group.part).is_some(), "{}: {}", reference.id, group.part);
        }
        for several in &design.standby {
            assert!(all.power(&several.part).is_some(), "{}: {}", reference.id, several.part);
        }
        for each in &design.cooling {
            for group in [Some(&each.terminal), each.rejection.as_ref(), each.chiller.as_ref()].into_iter().flatten() {
                assert!(all.cooling(&group.part).is_some(), "{}: {}", reference.id, group.part);
            }
        }
        let provisioned = provisioned_watts(reference.id, &design, &all);
        let contract = design.contract_power.as_watts();
        assert!(provisioned > 0.55 * contract && provisioned < 0.95 * contract, "{}: {provisioned}", reference.id);
        assert!(reference.text.len() < 10_000, "{} is a short file", reference.id);
    }
    assert_eq!(designs().len(), 9);
    assert_eq!(design("facility-1gw").map(|d| d.id), Some("facility-1gw"));
    assert_eq!(design("nowhere"), None);
}

/// What its racks may draw together, each as delivered or as filled.
fn provisioned_watts(id: &str, design: &Design, all: &Catalog) -> f64 {
    let mut watts = 0.0;
    for hall in &design.halls {
        for (row, group) in hall.rows.iter().flat_map(|row| row.racks.iter().map(move |group| (row, group))) {
            let rack = all.rack(&group.part).unwrap_or_else(|| panic!("{id}: {}", group.part));
            let mut filled = 0.0;
            for (part, count) in group.all_trays(rack) {
                let tray = all.tray(part).unwrap_or_else(|| panic!("{id}: {part}"));
                filled += tray.rated_power.as_watts() * f64::from(count);
            }
            assert!(filled > 0.0 && filled <= rack.rated_power.as_watts(), "{id}: {} holds {filled} W", group.part);
            let each = if group.trays.is_empty() { rack.rated_power.as_watts() } else { filled };
            watts += each * f64::from(group.count) * f64::from(row.count) * f64::from(hall.count);
        }
    }
    watts
}

/// GB200 SuperPOD: a scalable unit is 8 racks, 576 GPUs, 1.2 MW TDP (NVIDIA's reference architecture).
#[test]
fn agrees_with_the_superpod_gb200_unit() {
    let design = parse_design("su", design("superpod-gb200-su").unwrap().text).unwrap();
    let watts = provisioned_watts("su", &design, &shipped());
    assert!((watts / 1.2e6 - 1.0).abs() < 0.02, "{watts}");
}

/// B300 SuperPOD, four units: the network row holds the table's 64 leaf and 32 spine switches.
#[test]
fn agrees_with_the_superpod_b300_switch_count() {
    let design = parse_design("pod", design("b300-pod-4su").unwrap().text).unwrap();
    let of = |part: &str| -> u32 {
        let rows = design.halls.iter().flat_map(|hall| &hall.rows);
        rows.flat_map(|row| row.racks.iter().map(move |group| (row.count, group)))
            .flat_map(|(rows, group)| group.trays.iter().map(move |item| (rows * group.count, item)))
            .filter(|(_, item)| item.part.as_str() == part)
            .map(|(racks, item)| racks * item.count)
            .sum()
    };
    let table = fabric::fabric(fabric::FabricKind::B300, 4);
    assert_eq!(of("dgx-b300"), table.nodes);
    assert_eq!(of("spectrum-sn5600"), table.leaf + table.spine);
}

/// Draw of a node with its boards at `board_w` each, and its catalog overhead at full work.
fn node_watts(tray: &str, board_w: f64) -> f64 {
    let all = shipped();
    let tray = all.tray(&tray.parse().unwrap()).unwrap();
    tray.overhead_busy.as_watts() + board_w * f64::from(tray.gpu_count)
}

/// At the wall: 8 H100 training at most 8.4 kW (Latif et al., IEEE Access 13, 2025); 8 B200 at full load 1.30 kW a GPU.
#[test]
fn agrees_with_nodes_measured_at_the_wall() {
    assert!((node_watts("dgx-h100", 700.0) / 8400.0 - 1.0).abs() < 0.02);
    assert!((node_watts("dgx-b200", 1000.0) / 10_400.0 - 1.0).abs() < 0.02);
    let all = shipped();
    let h200 = all.tray(&"dgx-h200".parse().unwrap()).unwrap();
    let idle = h200.overhead_idle + all.gpu(&"h200-sxm".parse().unwrap()).unwrap().idle_power * 8_u32;
    assert!((idle.as_watts() / 2450.0 - 1.0).abs() < 0.02, "MLPerf v4.1 H200 MaxQ node before its run");
}

#[test]
fn refusals_name_file_line_and_field() {
    let good = "name = \"x\"\nlocation = \"ashburn-va\"\ncontract_power_w = 1e6\n";
    assert!(parse_design("d.toml", good).is_ok());
    for (text, says) in [
        (format!("{good}contract_w = 3\n"), "d.toml, line 4: unknown field `contract_w`"),
        (
            good.replace("1e6", "\"much\""),
            "d.toml, line 3: \"much\" stands where a number is needed (in contract_power_w)",
        ),
        (good.replace("contract_power_w = 1e6\n", ""), "d.toml, line 1: `contract_power_w` is missing"),
        (format!("{good}[[hall]]\nname = \"A\"\n"), "d.toml, line 4: `"),
        (format!("{good}\n[service\n"), "d.toml, line 5: "),
        (format!("{good}name = \"again\"\n"), "d.toml, line 4: duplicate key"),
        (
            format!(
                "{good}[[cooling]]\nname = \"c\"\nsupply_temperature_c = 20\nterminal = {{ part = \"p\", units = -1 }}\n"
            ),
            "d.toml, line 7: -1 stands where a whole number from 0 is needed (in terminal)",
        ),
    ] {
        let error = parse_design("d.toml", &text).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error:?} does not start with {says:?}");
        assert!(!error.contains('\n'), "{error:?} is more than a line");
    }
}

#[test]
fn a_number_that_is_not_finite_is_refused_by_name() {
    let good = "name = \"x\"\nlocation = \"ashburn-va\"\ncontract_power_w = 1e6\n";
    for (text, says) in [
        (good.replace("1e6", "nan"), "d.toml, line 3: contract_power_w is not a finite number"),
        (good.replace("1e6", "-inf"), "d.toml, line 3: contract_power_w is not a finite number"),
        (good.replace("1e6", "1e999"), "d.toml, line 3: contract_power_w is not a finite number"),
        (
            format!("{good}[[cooling]]\nname = \"c\"\nsupply_temperature_c = inf\n"),
            "d.toml, line 6: cooling.1.supply_temperature_c is not a finite number",
        ),
        (format!("{good}service = {{ ttft_s = nan }}\n"), "d.toml, line 4: service.ttft_s is not a finite number"),
    ] {
        assert_eq!(parse_design("d.toml", &text).unwrap_err().to_string(), says);
    }
}

#[test]
fn a_text_too_long_is_refused_before_it_is_read() {
    let long = "#".repeat(parse::TEXT_BYTES_MAX + 1);
    let error = parse_catalog("big.toml", &long).unwrap_err().to_string();
    assert_eq!(error, "big.toml: 8388609 bytes are more than the 8388608 allowed");
}

#[test]
fn a_cooling_row_knows_its_kind_and_no_other_field() {
    let row = |extra: &str| {
        parse_catalog(
            "c.toml",
            &format!(
                "[[cooling]]\nid = \"c\"\nname = \"C\"\nmaker = \"me\"\nheat_capacity_w = 1e6\nkind = \"cdu\"\n\
                 approach_k = 4\npump_head_pa = 1e5\nprice_usd = 1\nsource = \"our bench, May\"\nas_of = \"2026\"\n{extra}"
            ),
        )
    };
    assert!(row("").is_ok());
    let error = row("fan_power_w = 3\n").unwrap_err().to_string();
    assert!(error.contains("c.toml, line 1: unknown field `fan_power_w`"), "{error}");
}
