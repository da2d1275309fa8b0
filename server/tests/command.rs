//! The `millwright` command as a script uses it: real files, broken files, exit codes, stable names in the JSON.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The data folder; `None` where it is missing, which fails under `CI=true`.
fn data() -> Option<PathBuf> {
    let root = std::env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")), PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing, and CI needs it", root.display());
    eprintln!("skipped: {} is missing", root.display());
    None
}

fn millwright(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millwright")).args(args).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.extend(["--json", "-"]);
    let output = millwright(&all);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Exit code and what was said on standard error.
fn refused(args: &[&str]) -> (i32, String) {
    let output = millwright(args);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or_else(|| panic!("{name} is {}", report[name]))
}

#[test]
fn a_year_on_real_weather_prices_carbon_and_requests() {
    let Some(data) = data() else { return };
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let places = [
        (
            "USA_AZ_Phoenix-Sky.Harbor.TMYx.epw",
            "price_US-CAL-CISO_2024.csv",
            "eia_mix_ci_AZPS_2022.csv",
            "azure_llm_2023_conv.csv",
        ),
        (
            "USA_CO_Golden-NREL.724666_TMY3.epw",
            "price_US-TEX-ERCO_2023.csv",
            "eia_mix_ci_ERCO_2022.csv",
            "mooncake_conversation_trace.jsonl",
        ),
        (
            "USA_VA_Sterling-Washington.Dulles.Intl.AP.724030_TMY3.epw",
            "price_US-MIDA-PJM_2024.csv",
            "eia_mix_ci_PJM_2022.csv",
            "servegen_rate_10min.csv",
        ),
        (
            "openmeteo_US-TEX-ERCO_2023.csv",
            "price_US-TEX-ERCO_2023.csv",
            "eia_mix_ci_CISO_2022.csv",
            "azure_llm_2023_code.csv",
        ),
    ];
    for (weather, prices, carbon, requests) in places {
        let (weather, prices) = (path(&format!("weather/{weather}")), path(&format!("grid/{prices}")));
        let (carbon, requests) = (path(&format!("grid/{carbon}")), path(&format!("traces/{requests}")));
        let report = json(&[
            "simulate",
            "superpod-gb200-su",
            "--weather",
            &weather,
            "--prices",
            &prices,
            "--carbon",
            &carbon,
            "--requests",
            &requests,
        ]);
        let facility = number(&report, "facility_energy_mwh");
        let it = number(&report, "it_energy_mwh");
        assert!(facility > it && it > number(&report, "gpu_energy_mwh"));
        assert!((number(&report, "pue") - facility / it).abs() < 1e-9);
        let tokens = number(&report, "tokens_output");
        let per_mw = number(&report, "tokens_per_second_per_mw_facility");
        assert!((per_mw - tokens / (facility * 3600.0)).abs() < 1e-6 * per_mw, "tokens over facility energy");
        for name in [
            "wue_l_per_kwh",
            "tokens_per_second_per_mw_it",
            "tokens_per_joule_gpu",
            "peak_power_mw",
            "cost_per_million_tokens_usd",
            "carbon_t",
            "water_m3",
            "hours_derated",
        ] {
            assert!(number(&report, name) >= 0.0, "{name}");
        }
        let hours: f64 =
            report["hours_by_cooling_mode"].as_object().unwrap().values().map(|h| h.as_f64().unwrap()).sum();
        assert!((hours - 8760.0).abs() < 1e-6);
        let inputs = report["input"].as_array().unwrap();
        assert_eq!(inputs.len(), 4);
        assert!(inputs.iter().all(|input| input["file"] != "default"), "{inputs:?}");
    }
}

#[test]
fn two_runs_write_the_same_bytes() {
    let run = || millwright(&["simulate", "h200-air-row", "--seed", "7", "--json", "-"]).stdout;
    assert_eq!(run(), run());
    let csv = || millwright(&["simulate", "one-rack-gb200", "--csv", "-"]).stdout;
    assert_eq!(csv(), csv());
    assert_eq!(String::from_utf8(csv()).unwrap().lines().count(), 8761);
}

#[test]
fn every_reference_design_runs_a_year() {
    for reference in catalog::designs() {
        let report = json(&["simulate", reference.id]);
        assert!(number(&report, "tokens_per_second_per_mw_facility") > 0.0, "{}", reference.id);
        assert!(number(&report, "balance_error") < 1e-9, "{}", reference.id);
        assert_eq!(report["input"][0]["file"], "default");
    }
}

#[test]
fn flags_change_what_they_say() {
    let base = json(&["simulate", "superpod-gb200-su"]);
    let capped = json(&["simulate", "superpod-gb200-su", "--power-cap", "600"]);
    assert!(number(&capped, "gpu_energy_mwh") < number(&base, "gpu_energy_mwh"));
    assert!(number(&capped, "tokens_output") < number(&base, "tokens_output"));
    let other = json(&["simulate", "superpod-gb200-su", "--model", "llama-3.1-8b"]);
    assert!(number(&other, "tokens_output") > number(&base, "tokens_output"));
    let cool = json(&["simulate", "superpod-gb200-su", "--supply-temperature", "25"]);
    assert!(number(&cool, "cooling_energy_mwh") > number(&base, "cooling_energy_mwh"));
    let fine = json(&["simulate", "superpod-gb200-su", "--step", "15"]);
    assert!((number(&fine, "facility_energy_mwh") / number(&base, "facility_energy_mwh") - 1.0).abs() < 1e-9);
}

#[test]
fn bad_input_names_file_line_and_field_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let out = folder.path().join("out.json");
    let good = catalog::design("one-rack-gb200").unwrap().text;
    let unknown_field = write("field.toml", &good.replace("house_power_w", "hause_power_w"));
    let unknown_part = write("part.toml", &good.replace("gb200-nvl72", "gb200-nvl27"));
    let prices = write(
        "prices.csv",
        "Datetime (UTC),Price (USD/MWh)\n2024-01-01 00:00:00+00:00,40\n2024-01-01 01:00:00+00:00,abc\n",
    );
    let short = write("short.csv", "time_local,temp_c,rh_pct\n2024-01-01T00:00,10,50\n2024-01-01T01:00,11,50\n");
    let cases: [(&[&str], &[&str]); 9] = [
        (&["simulate", &unknown_field], &["field.toml", "line", "hause_power_w"]),
        (&["simulate", &unknown_part], &["part.toml, line", "gb200-nvl27", "gb200-nvl72"]),
        (&["simulate", "one-rack-gb200", "--prices", &prices], &["prices.csv", "line 3", "Price (USD/MWh)", "abc"]),
        (&["simulate", "one-rack-gb200", "--weather", &short], &["short.csv", "8760"]),
        (&["simulate", "one-rack-gb200", "--weather", "/no/such/file.epw"], &["/no/such/file.epw"]),
        (&["simulate", "no-such-design"], &["no-such-design", "superpod-gb200-su"]),
        (&["simulate", "one-rack-gb200", "--model", "gpt-9"], &["gpt-9", "llama-3.1-70b"]),
        (&["simulate", "one-rack-gb200", "--step", "7"], &["divide an hour"]),
        (&["simulate", "one-rack-gb200", "--power-cap", "nan"], &["power-cap"]),
    ];
    for (args, words) in cases {
        let mut all = args.to_vec();
        all.extend(["--json", out.to_str().unwrap()]);
        let (code, said) = refused(&all);
        assert_eq!(code, 2, "{args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
        }
        assert!(!out.exists(), "{args:?} wrote {}", out.display());
    }
}

#[test]
fn an_infeasible_design_says_which_limit_and_by_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tight.toml");
    let text = catalog::design("superpod-gb200-su").unwrap().text;
    let tight: String = text
        .lines()
        .map(|line| if line.starts_with("contract_power_w") { "contract_power_w = 500_000".to_owned() } else { line.to_owned() } + "\n")
        .collect();
    std::fs::write(&path, tight).unwrap();
    for command in ["simulate", "evaluate"] {
        let (code, said) = refused(&[command, path.to_str().unwrap()]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("above its contract of 500 kW") && said.contains("raise the contract by"), "{said}");
    }
    // A cap brings the same racks within a contract that they exceed at full power.
    let (code, said) = refused(&["evaluate", path.to_str().unwrap(), "--power-cap", "1"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("does not accept a cap of 1 W"), "{said}");
}

#[test]
fn the_catalog_is_checked_and_shown() {
    let checked = millwright(&["catalog", "check"]);
    assert!(checked.status.success());
    assert!(String::from_utf8(checked.stdout).unwrap().contains("each with source and date"));
    let shown = String::from_utf8(millwright(&["catalog", "show", "gb200-nvl72"]).stdout).unwrap();
    assert!(shown.contains("[[rack]]") && shown.contains("source ="), "{shown}");
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("mine.toml");
    let unsourced = shown.lines().filter(|line| !line.starts_with("source")).collect::<Vec<_>>().join("\n");
    std::fs::write(&parts, unsourced).unwrap();
    let (code, said) = refused(&["catalog", "check", "--parts", parts.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(said.contains("mine.toml") && said.contains("source"), "{said}");
}

#[test]
fn a_design_shown_is_a_design_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, millwright(&["designs", "show", "h200-air-row"]).stdout).unwrap();
    let mine = json(&["evaluate", path.to_str().unwrap()]);
    let theirs = json(&["evaluate", "h200-air-row"]);
    assert_eq!(mine, theirs);
    assert!(Path::new(&path).exists());
}

#[test]
fn an_output_follows_a_link_and_two_outputs_need_two_places() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target.json"), folder.path().join("link.json"));
    std::fs::write(&target, "before").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let link = link.to_str().unwrap();
    assert!(millwright(&["evaluate", "one-rack-gb200", "--json", link]).status.success());
    assert!(std::fs::read_to_string(&target).unwrap().contains("tokens_per_second_per_mw_facility"));
    assert!(std::fs::symlink_metadata(link).unwrap().is_symlink());
    let (code, said) = refused(&["simulate", "one-rack-gb200", "--json", link, "--csv", link]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_warm_supply_is_a_warning_and_a_ring_is_one_error() {
    let report = json(&["simulate", "facility-100mw", "--supply-temperature", "20"]);
    assert!(number(&report, "hours_above_set_point") > 100.0);
    let said = report["notes"].to_string();
    assert!(said.contains("supply-floats"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.toml");
    let ring = catalog::design("facility-100mw").unwrap().text.replace("fed_by = \"transformers\"", "fed_by = \"ups\"");
    std::fs::write(&path, ring).unwrap();
    let (code, said) = refused(&["evaluate", path.to_str().unwrap()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("leads back to it") && !said.contains("busway") && !said.contains("mechanical"), "{said}");
}

/// What a trial of the command found: none of it may come back.
#[test]
fn an_output_never_takes_the_place_of_an_input() {
    let dir = tempfile::tempdir().unwrap();
    let text = String::from_utf8(millwright(&["designs", "show", "one-rack-gb200"]).stdout).unwrap();
    let design = dir.path().join("d.toml");
    std::fs::write(&design, &text).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&design, &link).unwrap();
    let (design, link) = (design.to_str().unwrap(), link.to_str().unwrap());
    for args in [
        ["simulate", design, "--json", design],
        ["simulate", design, "--csv", link],
        ["evaluate", link, "--json", design],
        ["simulate", "one-rack-gb200", "--prices", design],
    ] {
        let (code, words) = refused(&args);
        assert_eq!(code, 2, "{args:?}: {words}");
        assert_eq!(std::fs::read_to_string(design).unwrap(), text, "{args:?}");
    }
    // Neither file is left where one of two can't be written.
    let csv = dir.path().join("x.csv");
    let (code, _) = refused(&["simulate", design, "--csv", csv.to_str().unwrap(), "--json", "/dev/full"]);
    assert!(code == 2 && !csv.exists());
    let nowhere = dir.path().join("nowhere");
    std::os::unix::fs::symlink(dir.path().join("gone"), &nowhere).unwrap();
    let (code, words) = refused(&["simulate", design, "--json", nowhere.to_str().unwrap()]);
    assert!(code == 2 && words.contains("leads nowhere"), "{words}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "nothing half-written is left");
}

#[test]
fn air_goes_to_fan_walls_and_half_a_unit_carries_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let text = String::from_utf8(millwright(&["designs", "show", "superpod-gb200-su"]).stdout).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let path = dir.path().join("changed.toml");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (code, words) = refused(&["simulate", &changed("air = \"chilled\"", "air = \"warm\"")]);
    assert!(code == 2 && words.contains("a fan wall, as `air` of a hall needs"), "{words}");
    let (code, words) = refused(&["evaluate", &changed("liquid = \"warm\"", "liquid = \"chilled\"")]);
    assert!(code == 2 && words.contains("a CDU, as `liquid` of a hall needs"), "{words}");
    let ups =
        text.lines().skip_while(|line| !line.contains("name = \"ups\"")).find(|l| l.starts_with("units")).unwrap();
    let block = text.split("[[power]]").find(|block| block.contains("name = \"ups\"")).unwrap();
    let odd = block.replace(ups, "units = 1").replace("redundancy = \"n+1\"", "redundancy = \"2n\"");
    let odd = odd.replace("redundancy = \"3n/2\"", "redundancy = \"2n\"");
    let (code, words) = refused(&["simulate", &changed(block, &odd)]);
    assert!(code == 3 && words.contains("can promise 0.00 kW"), "{words}");
    // A rack of one's own is made of the catalog's trays.
    let parts = dir.path().join("parts.toml");
    std::fs::write(&parts, millwright(&["catalog", "show", "gb200-nvl72"]).stdout).unwrap();
    let report = json(&["simulate", "superpod-gb200-su", "--parts", parts.to_str().unwrap()]);
    assert!(number(&report, "tokens_output") > 0.0);
}

#[test]
fn a_prediction_says_its_band_and_what_it_rests_on() {
    let found =
        json(&["predict", "--gpu", "h100-sxm", "--model", "meta-llama/Llama-3.1-70B", "--tp", "4", "--batch", "32"]);
    for figure in ["ttft_ms", "tpot_ms", "output_tokens_per_s_per_gpu", "gpu_power_w"] {
        let [value, low, high] = ["value", "low", "high"].map(|end| number(&found[figure], end));
        assert!(0.0 < low && low <= value && value <= high, "{figure}: {low} {value} {high}");
    }
    assert_eq!(found["known"], "both");
    let capped = json(&[
        "predict",
        "--gpu",
        "h100-sxm",
        "--model",
        "llama-3.1-70b",
        "--tp",
        "4",
        "--batch",
        "32",
        "--cap",
        "400",
    ]);
    assert!(number(&capped["gpu_power_w"], "value") <= 400.0 + 1e-9);
    assert!(number(&capped["tpot_ms"], "value") > number(&found["tpot_ms"], "value"));
    let (code, said) = refused(&["predict", "--gpu", "l4", "--model", "deepseek-r1"]);
    assert!(code == 2 && said.contains("does not fit"), "{said}");
    let (code, said) = refused(&["predict", "--gpu", "h100", "--model", "nobody/nothing"]);
    assert!(code == 2 && said.contains("nobody/nothing"), "{said}");
    let (code, said) = refused(&["predict", "--gpu", "h900-sxm", "--model", "llama-3.1-8b"]);
    assert!(code == 2 && said.contains("nearest to it are") && said.contains("h100-sxm"), "{said}");
    let (code, said) = refused(&["configure", "--gpu", "h100", "--count", "8", "--model", "llama-3.1-71b"]);
    assert!(code == 2 && said.contains("nearest to it are llama-3.1-70b"), "{said}");
}

#[test]
fn every_command_takes_every_number_format_and_says_what_a_gpu_can_not_compute_in() {
    let parts = |precision| ["--gpu", "a100", "--model", "llama-3.1-8b", "--precision", precision];
    for precision in ["bf16", "fp8", "fp4", "int4", "nvfp4"] {
        json(&[&["predict"], &parts(precision)[..]].concat());
        json(&[&["configure", "--count", "2"], &parts(precision)[..]].concat());
    }
    for command in [&["predict"][..], &["configure", "--count", "2"], &["replay", "--requests", "none.csv"]] {
        let (code, said) = refused(&[command, &parts("fp12")[..]].concat());
        assert!(code == 2 && said.contains("there are bf16, fp8, fp4, int4"), "{said}");
    }
    let told = |command: &[&str]| String::from_utf8(millwright(command).stdout).unwrap();
    for command in [&["predict"][..], &["configure", "--count", "2"]] {
        let said = told(&[command, &parts("fp8")[..]].concat());
        assert!(said.contains("has no FP8 arithmetic") && said.contains("computed in 16 bits"), "{said}");
        assert!(!told(&[command, &parts("int4")[..]].concat()).contains("arithmetic:"));
    }
}

#[test]
fn each_row_of_a_table_is_answered_or_given_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (table, out) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    let rows = "system,model_path,backend,precision,mode,isl,osl,batch_size,tp_size,extra\n\
                h200_sxm,meta-llama/Llama-3.1-70B,vllm,fp8,agg,1024,1024,16,4,kept\n\
                h200_sxm,nobody/nothing,vllm,fp8,agg,1024,1024,16,4,kept\n\
                h200_sxm,meta-llama/Llama-3.1-70B,vllm,fp8,agg,many,1024,16,4,kept\n";
    std::fs::write(&table, rows).unwrap();
    let said = millwright(&["predict", "--csv", table.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(said.status.success());
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "1 of 3 rows predicted, 2 with a reason why not\n");
    let written = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert!(lines[0].contains("predicted_tpot_ms,predicted_tpot_ms_low,predicted_tpot_ms_high"));
    assert!(lines[1].contains("kept") && lines[1].contains("specification of the GPU"), "{}", lines[1]);
    assert!(lines[2].contains("nobody/nothing") && lines[3].contains("isl is"), "{written}");
}

#[test]
fn a_pilot_says_both_fleets_its_verdict_and_how_sure_that_is() {
    let short = ["pilot", "--seconds", "30"];
    let found = json(&short);
    assert_eq!(found, json(&short), "two runs say the same");
    let envelope = number(&found, "envelope_w");
    for fleet in ["unmanaged", "managed"] {
        let fleet = &found[fleet];
        assert!(number(fleet, "provisioned_w") <= envelope * (1.0 + 1e-9) && fleet["is_compliant"] == true);
        for job in fleet["jobs"].as_array().unwrap() {
            assert!(number(job, "tokens_per_s") > 0.0 && number(job, "gpu_w") <= number(job, "cap_w") * (1.0 + 1e-9));
            assert!(number(&job["ttft_s"], "p99") > 0.0 && number(&job["tpot_s"], "p99") > 0.0);
        }
    }
    let ratio = number(&found["managed"], "tokens_per_s") / number(&found["unmanaged"], "tokens_per_s");
    assert!((number(&found, "ratio") - ratio).abs() < 1e-9);
    assert_eq!(found["is_passed"], ratio > 1.0);
    let said = String::from_utf8(millwright(&short).stdout).unwrap();
    for words in
        ["Output tokens/s", "First token at", "Between tokens", "power cap", "Verdict", "refused: power domain"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
    let (code, said) = refused(&["pilot", "--rack", "gb100"]);
    assert!(code == 2 && said.contains("no such rack"), "{said}");
    let (code, said) = refused(&["pilot", "--high", "llama-3.1-71b"]);
    assert!(code == 2 && said.contains("nearest to it are llama-3.1-70b"), "{said}");
    let (code, said) = refused(&["pilot", "--unmanaged", "1"]);
    assert!(code == 2 && said.contains("can't be kept within the envelope"), "{said}");
}

#[test]
fn a_trace_is_replayed_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.csv");
    let row = |n: u32| format!("{},{},{}", f64::from(n) * 0.2, 200 + n * 7 % 900, 20 + n * 13 % 300);
    let rows = (0..200).map(row).collect::<Vec<_>>().join("\n");
    std::fs::write(&trace, format!("at_s,input_tokens,output_tokens\n{rows}\n")).unwrap();
    let trace = trace.to_str().unwrap();
    let ask = [
        "replay",
        "--requests",
        trace,
        "--gpu",
        "h100-sxm",
        "--model",
        "llama-3.1-8b",
        "--replicas",
        "2",
        "--router",
        "power-of-two",
    ];
    let found = json(&ask);
    assert_eq!(found, json(&ask));
    let outcome = &found["outcome"];
    assert_eq!(outcome["requests"]["finished"], 200);
    let energy = &outcome["energy"];
    let parts = number(energy, "requests_j") + number(energy, "idle_j");
    assert!((parts / number(energy, "total_j") - 1.0).abs() < 1e-9);
    let apart = json(&[
        "replay",
        "--requests",
        trace,
        "--gpu",
        "h100-sxm",
        "--model",
        "llama-3.1-8b",
        "--disaggregated",
        "1:2",
    ]);
    assert_eq!(apart["outcome"]["requests"]["finished"], 200);
    let mut troubled = ask.to_vec();
    troubled.extend(["--event", "5:0:fails", "--event", "20:0:returns", "--event", "10:all:limit=300"]);
    let troubled = json(&troubled);
    assert_eq!(troubled["outcome"]["requests"]["finished"], 200);
    let mean = |found: &Value| number(&found["outcome"]["e2e_s"], "mean");
    assert!(mean(&troubled) > mean(&found) && troubled["outcome"]["moved_by_failure"].as_u64().unwrap() > 0);
    let events = ["--event", "5:0:fails", "--event", "20:0:returns", "--cap", "600"];
    let told = String::from_utf8(millwright(&[&ask[..], &events].concat()).stdout).unwrap();
    for said in [
        "after 5 s replica 0 fails",
        "after 20 s replica 0 returns",
        "600 W each",
        "Rests on                      measured GPU",
        "90% of measured points would lie within",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let mut nowhere = ask.to_vec();
    nowhere.extend(["--event", "5:7:fails"]);
    let (code, said) = refused(&nowhere);
    assert!(code == 2 && said.contains("no replica 7"), "{said}");
    std::fs::write(folder.path().join("bad.csv"), "at_s,input_tokens,output_tokens\n0,12,many\n").unwrap();
    let bad = folder.path().join("bad.csv");
    let (code, said) =
        refused(&["replay", "--requests", bad.to_str().unwrap(), "--gpu", "h100-sxm", "--model", "llama-3.1-8b"]);
    assert!(code == 2 && said.contains("line 2") && said.contains("output_tokens"), "{said}");
}

/// Two models in one fleet: each request is answered by replicas of the model that it names, and no token is lost.
#[test]
fn several_models_are_replayed_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("models.csv");
    let name = |n: u32| ["", "meta-llama/Llama-3.1-8B-Instruct", "qwen3-32b"][n as usize % 3];
    let row = |n: u32| format!("{},{},{},{}", f64::from(n) * 0.1, 200 + n, 20 + n % 50, name(n));
    let rows = (0..300).map(row).collect::<Vec<_>>().join("\n");
    std::fs::write(&trace, format!("at_s,input_tokens,output_tokens,model\n{rows}\n")).unwrap();
    let trace = trace.to_str().unwrap();
    let csv = folder.path().join("rows.csv");
    let ask = ["replay", "--requests", trace, "--gpu", "h100-sxm", "--model", "qwen3-32b", "--tp", "2"];
    let also = ["--also", "llama-3.1-8b:1:3", "--csv", csv.to_str().unwrap()];
    let found = json(&[&ask[..], &also].concat());
    let (models, outcome) = (found["models"].as_array().unwrap(), &found["outcome"]);
    let count = |of: &Value, member: &str| of[member].as_u64().unwrap();
    let told: Vec<_> =
        models.iter().map(|model| (model["model"].as_str().unwrap(), count(model, "requests"))).collect();
    assert_eq!(told, [("qwen3-32b", 200), ("llama-3.1-8b", 100)]);
    let tokens = [&models[0], &models[1], outcome].map(|of| count(of, "output_tokens"));
    let asked = |of: u64| -> u64 { (0..300).filter(|n| (n % 3 == 1) == (of == 1)).map(|n| 20 + n % 50).sum() };
    assert_eq!(tokens, [asked(0), asked(1), asked(0) + asked(1)]);
    let energy: f64 = models.iter().map(|model| number(model, "energy_j")).sum();
    assert!((energy / number(&outcome["energy"], "total_j") - 1.0).abs() < 1e-9);
    let rows = std::fs::read_to_string(&csv).unwrap();
    for row in rows.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let own = if fields[13] == "qwen3-32b" { "0".."1" } else { "1".."4" };
        assert!(fields[4] == "finished" && own.contains(&fields[5]), "{row}");
    }
    let events = ["--also", "llama-3.1-8b:1:3", "--event", "5:3:fails", "--event", "6:all:limit=400"];
    let told = String::from_utf8(millwright(&[&ask[..], &events].concat()).stdout).unwrap();
    for said in
        ["llama-3.1-8b on 3 replicas, numbered 1 to 3, of 1 × h100-sxm", "Model llama-3.1-8b", "replica 3 fails"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
}

/// An autoscaler begins with what is deployed, foretells as it is told to, and is none of the command's without being asked for.
#[test]
fn an_autoscaler_foretells_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("t.csv");
    let rows = (0..2_000).map(|n| format!("{},900,60", f64::from(n) * 0.5)).collect::<Vec<_>>().join("\n");
    std::fs::write(&trace, format!("at_s,input_tokens,output_tokens\n{rows}\n")).unwrap();
    let ask = ["replay", "--requests", trace.to_str().unwrap(), "--gpu", "h100-sxm", "--model", "llama-3.1-8b"];
    let ask = [&ask[..], &["--tp", "1", "--replicas", "4"]].concat();
    let scaled = json(&[&ask[..], &["--autoscale", "--predictor", "arima"]].concat());
    let on = scaled["outcome"]["series"]["replicas_on"].as_array().unwrap();
    let on: Vec<f64> = on.iter().map(|count| count.as_f64().unwrap()).collect();
    assert!((on[0] - 4.0).abs() < 1e-9 && on.iter().copied().fold(4.0, f64::min) < 2.0, "{on:?}");
    assert!(number(&scaled["outcome"], "attainment") > 0.99);
    let said = String::from_utf8(millwright(&[&ask[..], &["--autoscale", "--predictor", "trend"]].concat()).stdout);
    assert!(said.unwrap().contains("foretelling by level and trend (Holt)"));
    let (code, said) = refused(&[&ask[..], &["--autoscale", "--predictor", "oracle"]].concat());
    assert!(code == 2 && said.contains("there are constant, trend, arima"), "{said}");
    let (code, said) = refused(&[&ask[..], &["--predictor", "arima"]].concat());
    assert!(code == 2 && said.contains("--autoscale"), "{said}");
}

#[test]
fn a_model_that_is_not_served_is_refused_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("t.csv");
    let ask =
        ["replay", "--requests", trace.to_str().unwrap(), "--gpu", "h100-sxm", "--model", "qwen3-32b", "--tp", "2"];
    let refuse = |last: &str, more: &[&str], parts: &[&str]| {
        std::fs::write(&trace, format!("at_s,input_tokens,output_tokens,model\n0,9,9,\n1,9,9,{last}\n")).unwrap();
        let (code, said) = refused(&[&ask[..], more].concat());
        assert!(code == 2 && parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
    };
    let also = ["--also", "llama-3.1-8b:1:1"];
    refuse(
        "llama-3.1-8c",
        &also,
        &["t.csv, line 3, column \"model\": \"llama-3.1-8c\"", "nearest to it are llama-3.1-8b"],
    );
    refuse(
        "llama-3.1-70b",
        &also,
        &["line 3", "requests can ask qwen3-32b, llama-3.1-8b", "--also llama-3.1-70b:TP:REPLICAS"],
    );
    refuse("zzz", &[], &["line 3", "\"zzz\" is no model that is served; requests can ask qwen3-32b"]);
    refuse("", &["--also", "llama-3.1-8c:1:1"], &["also llama-3.1-8c:1:1: no model", "nearest to it are llama-3.1-8b"]);
    refuse("", &["--also", "qwen3-32b:4:1"], &["also qwen3-32b:4:1: Qwen3 32B is served already"]);
    refuse("", &["--also", "deepseek-r1:1:1"], &["DeepSeek R1 does not fit"]);
    refuse("", &["--also", "llama-3.1-8b:1:5000"], &["5001 replicas"]);
    refuse("", &["--also", "llama-3.1-8b:2000:1"], &["a replica of 2000 GPUs"]);
    refuse("", &["--also", "llama-3.1-8b"], &["must be a model, the GPUs of a replica and its replicas"]);
}

#[test]
fn events_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("t.csv");
    std::fs::write(&trace, "at_s,input_tokens,output_tokens\n0,9,9\n1,9,9\n").unwrap();
    let ask = ["replay", "--requests", trace.to_str().unwrap(), "--gpu", "h100-sxm", "--model", "llama-3.1-8b"];
    for (event, why) in [
        ("-1:0:fails", "\"-1\" is no number of seconds from 0"),
        ("nan:0:fails", "\"nan\" is no number of seconds from 0"),
        ("inf:0:fails", "\"inf\" is no number of seconds from 0"),
        ("60:1:fails", "there is no replica 1: the only one is number 0"),
        ("60:-1:fails", "\"-1\" is neither a replica's number, from 0, nor all"),
        ("60:all:limit=0", "\"0\" is no number of watts above 0"),
        ("60:all:limit=-5", "\"-5\" is no number of watts above 0"),
        ("60:all:limit=inf", "\"inf\" is no number of watts above 0"),
        ("60:all:limit=10", "accepts no power limit under 200 W"),
        ("60:all:limit=7000", "draws 700 W at most: limit=700 lifts every limit"),
        ("60:all:sleeps", "fails, returns and limit=WATTS can"),
    ] {
        let (code, said) = refused(&[&ask[..], &["--event", event]].concat());
        assert!(code == 2 && said.contains(why), "{event}: {said}");
    }
    let late = json(&[&ask[..], &["--event", "99999:0:fails", "--event", "1:all:limit=700"]].concat());
    assert_eq!(late["outcome"]["requests"]["finished"], 2, "what comes after the end changes nothing");
}

#[test]
fn the_best_configuration_is_within_the_targets() {
    let ask = [
        "configure",
        "--gpu",
        "h200-sxm",
        "--count",
        "64",
        "--model",
        "deepseek-r1",
        "--input",
        "4000",
        "--output",
        "1000",
    ];
    let found = json(&ask);
    let best = &found["best"];
    assert!(number(best, "ttft_ms") <= 2000.0 && number(best, "tpot_ms") <= 50.0 && number(best, "gpus") <= 64.0);
    let frontier = found["frontier"].as_array().unwrap();
    assert!(frontier.windows(2).all(|pair| {
        number(&pair[0], "output_tokens_per_s_per_user") <= number(&pair[1], "output_tokens_per_s_per_user")
            && number(&pair[0], "output_tokens_per_s_per_gpu") >= number(&pair[1], "output_tokens_per_s_per_gpu")
    }));
    let mut thrifty = ask.to_vec();
    thrifty.extend(["--goal", "tokens-per-joule"]);
    let thrifty = json(&thrifty);
    let joule = |answer: &Value| number(answer, "output_tokens_per_facility_joule");
    assert!(joule(&thrifty["best"]) >= joule(best));
    // On 12 GPUs, replicas of eight leave four over, and every way that does so tells it.
    let few = ["configure", "--gpu", "h200-sxm", "--count", "12", "--model", "deepseek-r1", "--tpot", "100"];
    let told = String::from_utf8(millwright(&few).stdout).unwrap();
    assert!(told.contains("4 GPUs stay unused; neither cost nor power counts them"), "{told}");
    let ways = told.lines().filter(|line| line.starts_with("  1 replica of 8 GPUs"));
    assert!(ways.clone().count() > 0 && ways.clone().all(|line| line.ends_with("; 4 GPUs stay unused")), "{told}");
    let mut hasty = ask.to_vec();
    hasty.extend(["--tpot", "1"]);
    let (code, said) = refused(&hasty);
    assert!(code == 3 && said.contains("targets can't be met"), "{said}");
}

/// The best of a design's plant is at least what was drawn, says what stops it, and can be run.
#[test]
fn optimize_betters_a_design_and_says_what_stops_it() {
    let told = json(&["optimize", "superpod-gb200-su", "--goal", "tokens"]);
    let (best, drawn) = (&told["answer"]["best"], &told["answer"]["drawn"]);
    assert!(number(best, "output_tokens_per_s") >= number(drawn, "output_tokens_per_s"));
    assert!(best["short"].as_array().unwrap().is_empty());
    assert!(!told["reasons"]["binds"].as_array().unwrap().is_empty());
    assert!(told["answer"]["frontier"].as_array().unwrap().len() > 2);
    let joules = json(&["optimize", "superpod-gb200-su", "--goal", "tokens-per-joule"]);
    let of = |told: &Value| number(&told["answer"]["best"], "tokens_per_joule");
    assert!(of(&joules) > of(&told), "another goal, another best");
}

#[test]
fn optimize_says_what_stands_in_the_way() {
    let output = millwright(&["optimize", "superpod-gb200-su", "--subject-to", "power=0.1"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("more power contract at utility"), "{said}");
    let (code, told) = refused(&["optimize", "superpod-gb200-su", "--subject-to", "watts=3"]);
    assert!(code == 2 && told.contains("must be power=MW, capex=$, ttft=MS or tpot=MS"), "{told}");
    let (code, told) = refused(&["optimize", "no-such-design"]);
    assert!(code == 2 && told.contains("neither a file nor a reference design"), "{told}");
}
