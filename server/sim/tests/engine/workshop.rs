//! The workshop's questions: mends that mend, drafts that hold, failures that darken what hangs on them, drivers that
//! point the right way.

use crate::common::{site, year};
use model::note::{Kind, Severity};
use model::quantity::Power;
use sim::failure::{Fate, after_loss, dark_racks};
use sim::mend::{Brief, draft, mend, mends};

fn design(id: &str) -> model::design::Design {
    catalog::parse_design(id, catalog::design(id).unwrap().text).unwrap()
}

#[test]
fn a_mend_answers_its_note() {
    let catalog = catalog::catalog().unwrap();
    let mut broken = design("facility-100mw");
    for group in broken.power.iter_mut().filter(|group| group.name != "substation") {
        group.units = group.units.div_ceil(3);
    }
    broken.cooling[0].terminal.units = 3;
    broken.cooling[0].rejection.as_mut().unwrap().units = 10;
    for _ in 0..60 {
        let notes = match sim::resolve(&broken, &catalog) {
            Ok(site) => sim::evaluate(&site).notes,
            Err(notes) => notes,
        };
        let Some(note) = notes.iter().find(|note| note.severity != Severity::Note) else { return };
        broken = mend(&broken, note).unwrap_or_else(|| panic!("no mend for {note}"));
    }
    panic!("sixty mends were not enough");
}

#[test]
fn a_misspelt_part_is_renamed() {
    let catalog = catalog::catalog().unwrap();
    let mut broken = design("facility-100mw");
    broken.power[0].part = "transformer-60mvb".parse().unwrap();
    let notes = sim::resolve(&broken, &catalog).unwrap_err();
    let note = notes.iter().find(|note| matches!(note.kind, Kind::UnknownPart { .. })).unwrap();
    assert_eq!(mend(&broken, note).unwrap(), design("facility-100mw"));
}

#[test]
fn a_draft_of_any_size_and_place_can_be_built() {
    let catalog = catalog::catalog().unwrap();
    for template in catalog::designs() {
        for (megawatts, location) in
            [(0.6, "phoenix-az"), (4.0, "ashburn-va"), (30.0, "dallas-tx"), (150.0, "phoenix-az")]
        {
            let template = design(template.id);
            let brief = Brief {
                name: "Draft".into(),
                location: location.parse().unwrap(),
                contract: Power::from_megawatts(megawatts),
                model: template.service.model.clone(),
            };
            // A template is for its own size and a few times more or less.
            let factor = brief.contract / template.contract_power;
            if !(0.2..=10.0).contains(&factor) {
                continue;
            }
            let drawn = draft(&template, &brief, &catalog);
            let site = sim::resolve(&drawn, &catalog).unwrap_or_else(|notes| panic!("{}: {notes:?}", template.name));
            let found = sim::evaluate(&site);
            let errors: Vec<_> = found.notes.iter().filter(|note| note.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{} at {megawatts} MW in {location}: {errors:?}", template.name);
            let used = found.peak_power_mw / megawatts;
            println!("{} at {megawatts} MW in {location}: {:.0}% of the contract", template.name, used * 100.0);
            assert!(used <= 1.0, "{} at {megawatts} MW in {location}: {used}", template.name);
        }
    }
}

#[test]
fn a_lost_side_darkens_or_overloads_what_hangs_on_it() {
    let site = site("facility-100mw");
    let tree = sim::evaluate(&site).power_tree;
    let at = |name: &str| site.power.iter().position(|node| node.name == name).unwrap();
    let one_side = after_loss(&site, &tree, at("busway"), site.power[at("busway")].units / 2);
    assert!(matches!(one_side[at("busway")], Fate::Energised { .. }), "2N carries on with one side: {one_side:?}");
    let all = after_loss(&site, &tree, at("ups"), u32::MAX);
    assert_eq!((all[at("ups")], all[at("busway")]), (Fate::Dark, Fate::Dark));
    assert!(matches!(all[at("substation")], Fate::Energised { .. }));
    assert_eq!(dark_racks(&site, &all), site.rack_count());
    let most = after_loss(&site, &tree, at("ups"), site.power[at("ups")].units - 4);
    assert!(matches!(most[at("ups")], Fate::Overloaded { .. }), "{most:?}");
}

#[test]
fn drivers_point_the_right_way() {
    let site = site("superpod-gb200-su");
    let scenario = year(&site);
    let drivers = sim::drivers::drivers(&site, &scenario);
    let of = |name: &str| drivers.iter().find(|driver| driver.name == name).unwrap();
    assert!(drivers.windows(2).all(|pair| pair[0].swing() >= pair[1].swing()));
    assert!(of("Outside temperature").tokens_per_mw.0 >= of("Outside temperature").tokens_per_mw.1);
    assert!(of("Energy price").cost_per_million_usd.0 < of("Energy price").cost_per_million_usd.1);
    assert!(of("Energy price").swing() < 1e-9, "a price makes no tokens");
    assert!(of("Price of computers").cost_swing() > of("Cost of capital").cost_swing() * 0.1);
}

#[test]
fn improvements_are_worth_something() {
    for id in ["superpod-gb200-su", "tower-50mw"] {
        let site = site(id);
        let scenario = year(&site);
        let trace = sim::simulate(&site, &scenario);
        let base = sim::report::report(&site, &scenario, &trace, "", "");
        let found = sim::drivers::improvements(&site, &scenario, &base);
        assert!(found.len() >= 3, "{id}: {found:?}");
        assert!(found.windows(2).all(|pair| pair[0].gain_usd >= pair[1].gain_usd));
        for each in &found {
            println!(
                "{id}: {}: {:.0} M$, {:.2} MW, {:+.1}% tokens/MW",
                each.name,
                each.gain_usd / 1e6,
                each.power_mw,
                each.tokens_per_mw_share * 100.0
            );
        }
    }
}

#[test]
fn a_small_template_grows_into_halls_and_not_into_a_village() {
    let catalog = catalog::catalog().unwrap();
    let template = design("one-rack-gb200");
    let brief = Brief {
        name: "Draft".into(),
        location: "ashburn-va".parse().unwrap(),
        contract: Power::from_megawatts(50.0),
        model: template.service.model.clone(),
    };
    let drawn = draft(&template, &brief, &catalog);
    let halls: u32 = drawn.halls.iter().map(|hall| hall.count).sum();
    let site = sim::resolve(&drawn, &catalog).unwrap();
    let found = sim::evaluate(&site);
    assert!((1..=6).contains(&halls), "{halls} halls");
    assert!(found.racks > 250 && found.peak_power_mw <= 50.0, "{} racks, {} MW", found.racks, found.peak_power_mw);
    assert!(!found.notes.iter().any(|note| note.severity == Severity::Error), "{:?}", found.notes);
}

#[test]
fn a_contract_that_is_exceeded_may_be_kept_by_a_cap() {
    let catalog = catalog::catalog().unwrap();
    let mut tight = design("facility-100mw");
    let site = sim::resolve(&tight, &catalog).unwrap();
    let limit = sim::evaluate(&site).peak_power_mw * 0.9;
    tight.contract_power = Power::from_megawatts(limit);
    let notes = sim::evaluate(&sim::resolve(&tight, &catalog).unwrap()).notes;
    let note = notes.iter().find(|note| matches!(note.kind, Kind::ContractExceeded { .. })).unwrap();
    let found = mends(&tight, note, &catalog);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].words.contains("raise the contract") && found[1].words.contains("cap each GPU"));
    assert_eq!(found[1].design.contract_power, tight.contract_power);
    let capped = sim::evaluate(&sim::resolve(&found[1].design, &catalog).unwrap());
    assert!(capped.peak_power_mw <= limit, "{}", capped.peak_power_mw);
}

#[test]
fn racks_one_by_one_add_up_to_the_whole() {
    for id in ["facility-100mw", "superpod-gb200-su", "h200-air-row"] {
        let site = site(id);
        let (all, whole) = (sim::rack_figures(&site), sim::evaluate(&site));
        assert_eq!(all.len(), site.racks.len());
        let sum = |figure: fn(&sim::RackFigures) -> f64| -> f64 {
            site.racks.iter().zip(&all).map(|(class, one)| figure(one) * f64::from(class.count)).sum()
        };
        let drawn_mw = sum(|one| one.drawn_w) / 1e6;
        assert!((drawn_mw / whole.it_power_mw - 1.0).abs() < 1e-6, "{id}: {drawn_mw} of {}", whole.it_power_mw);
        let tokens = sum(|one| one.output_tokens_per_s.unwrap_or(0.0));
        assert!((tokens / whole.output_tokens_per_s - 1.0).abs() < 1e-6, "{id}: {tokens}");
        assert!(site.racks.iter().zip(&all).all(|(class, one)| (class.gpus > 0) == one.output_tokens_per_s.is_some()));
    }
}

#[test]
fn own_parts_with_figures_that_cannot_be_are_told_before_anything_is_worked_out() {
    let catalog = catalog::catalog().unwrap();
    let text = catalog::design("h200-air-row").unwrap().text;
    let tray = |field: &str, value: &str| {
        let mut row: toml::Table = toml::from_str(
            "id = \"dgx-h200\"\nname = \"Mine\"\nmaker = \"m\"\ngpu = \"h200-sxm\"\ngpu_count = 8\nrated_power_w = 10200\n\
             overhead_idle_w = 1500\noverhead_busy_w = 2800\nliquid_fraction = 0\nheight_units = 8\nmass_kg = 130\n\
             price_usd = 400000\nsource = \"our own bench, May\"\nas_of = \"2026-05\"\n",
        )
        .unwrap();
        row.insert(field.into(), toml::from_str::<toml::Table>(&format!("v = {value}")).unwrap()["v"].clone());
        let design = format!("{text}\n[[parts.tray]]\n{}", toml::to_string(&row).unwrap());
        sim::resolve(&catalog::parse_design("own.toml", &design).unwrap(), &catalog)
    };
    assert!(tray("price_usd", "300000").is_ok());
    for (field, value) in [
        ("gpu_count", "4000000000"),
        ("price_usd", "-1e12"),
        ("rated_power_w", "-1e9"),
        ("rated_power_w", "1e300"),
        ("mass_kg", "-5"),
        ("height_units", "-3"),
        ("liquid_fraction", "7"),
        ("overhead_busy_w", "-1e6"),
        ("gpu", "\"no-such-gpu\""),
    ] {
        let notes = tray(field, value).expect_err(field);
        assert!(notes.iter().all(|note| matches!(note.kind, Kind::BadPart { .. })), "{field} = {value}: {notes:?}");
    }
}
