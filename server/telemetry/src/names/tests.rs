use super::*;
use crate::exposition;
use std::collections::BTreeSet;

/// A file of the shared data; absent, and said so, where there is none.
pub(crate) fn data(path: &str) -> Option<String> {
    let root = std::env::var("MILLWRIGHT_DATA");
    let root = root.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into());
    let read = std::fs::read_to_string(format!("{root}/{path}"));
    if read.is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{root}/{path} is missing");
        eprintln!("skipped: {root}/{path} is missing");
    }
    read.ok()
}

/// What a line of an exporter comes to: metric, value, and labels as the house writes them.
fn come_to(line: &str) -> Option<(Metric, f64, String)> {
    let page = format!("{line}\n");
    let mut lines =
        exposition::Lines::new(page.as_bytes(), exposition::Format::Prometheus, exposition::Limits::default());
    let line = lines.next().unwrap().unwrap();
    let series = exposition::series(line.series).unwrap();
    match canonical(&series.name, &series.labels) {
        Mapped::Reading(meaning) => {
            let labels: Vec<String> = meaning.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            Some((meaning.metric, meaning.scale.apply(line.value), labels.join(" ")))
        }
        Mapped::Ignored | Mapped::Unknown => None,
    }
}

fn check(line: &str, metric: Metric, value: f64, labels: &str) {
    let (got, was, named) = come_to(line).unwrap_or_else(|| panic!("{line} is not known"));
    assert_eq!((got, named.as_str()), (metric, labels), "{line}");
    assert!((was - value).abs() <= value.abs() * 1e-12, "{line} came to {was}");
}

#[test]
fn dcgm_is_read_in_both_spellings_of_its_labels() {
    let old = r#"{gpu="3",UUID="GPU-b1",device="nvidia3",modelName="NVIDIA H100 80GB HBM3",Hostname="n7",DCGM_FI_DRIVER_VERSION="550.54",container="t",namespace="team-a",pod="train-0"}"#;
    let new = r#"{gpu="3",UUID="GPU-b1",pci_bus_id="00000000:5D:00.0",device="nvidia3",modelName="NVIDIA H100 80GB HBM3",hostname="n7"}"#;
    let labels = "driver_version=550.54 gpu=3 host=n7 model=NVIDIA H100 80GB HBM3 tenant=team-a uuid=GPU-b1";
    let fewer = "gpu=3 host=n7 model=NVIDIA H100 80GB HBM3 pci_bus_id=00000000:5D:00.0 uuid=GPU-b1";
    for (series, value, metric, want) in [
        ("DEV_SM_CLOCK", "1980", Metric::GpuSmClock, 1.98e9),
        ("DEV_MEM_CLOCK", "2619", Metric::GpuMemoryClock, 2.619e9),
        ("DEV_MEMORY_TEMP", "54", Metric::GpuMemoryTemperature, 54.0),
        ("DEV_GPU_TEMP", "59", Metric::GpuTemperature, 59.0),
        ("DEV_POWER_USAGE", "631.95", Metric::GpuPower, 631.95),
        ("DEV_TOTAL_ENERGY_CONSUMPTION", "4567891234", Metric::GpuEnergy, 4_567_891.234),
        ("DEV_GPU_UTIL", "57", Metric::GpuUtilization, 0.57),
        ("DEV_FB_USED", "1024", Metric::GpuMemoryUsed, 1_073_741_824.0),
        ("DEV_POWER_VIOLATION", "2500000000", Metric::GpuPowerViolation, 2.5),
        ("DEV_XID_ERRORS", "79", Metric::GpuLastXid, 79.0),
        ("PROF_DRAM_ACTIVE", "0.25", Metric::GpuDramActive, 0.25),
        ("PROF_PCIE_TX_BYTES", "12345", Metric::GpuPcieSent, 12345.0),
        ("DEV_NVLINK_BANDWIDTH_TOTAL", "2", Metric::GpuNvlinkBandwidth, 2_048_000.0),
    ] {
        check(&format!("DCGM_FI_{series}{old} {value}"), metric, want, labels);
        check(&format!("DCGM_FI_{series}{new} {value}"), metric, want, fewer);
    }
}

#[test]
fn agrees_with_the_counters_that_dcgm_exporter_ships() {
    let Some(text) = data("telemetry/dcgm_default-counters.csv") else { return };
    let rows = text.lines().filter_map(|line| {
        let line = line.strip_prefix("# ").unwrap_or(line);
        let (name, rest) = line.split_once(',')?;
        (name.starts_with("DCGM_") && !rest.trim_start().starts_with("label")).then(|| (name.trim(), rest))
    });
    let mut read = BTreeSet::new();
    for (name, rest) in rows {
        let Mapped::Reading(meaning) = canonical(name, &[]) else { continue };
        // The unit that the help text gives is the unit that the factor is for.
        let want = [
            ("(in MHz)", Scale::MEGA),
            ("(in mJ)", Scale::MILLI),
            ("(in MiB)", Scale::MEBI),
            ("(in %)", Scale::PERCENT),
            ("(in ns)", Scale::NANO),
            ("NVLink bandwidth counters", Scale::times(1_024_000.0)),
        ];
        let want = want.iter().find(|(unit, _)| rest.contains(unit)).map_or(Scale::ONE, |(_, scale)| *scale);
        assert_eq!(meaning.scale, want, "{name}: {rest}");
        read.insert(name);
    }
    assert!(read.len() >= 34, "{read:?}");
}

#[test]
fn what_is_of_the_whole_board_is_told_once_for_all_mig_instances() {
    let of = |series: &str, id: &str, space: &str| {
        let labels = format!(
            r#"{{gpu="0",UUID="GPU-a",GPU_I_PROFILE="1g.10gb",GPU_I_ID="{id}",Hostname="n",namespace="{space}"}}"#
        );
        come_to(&format!("{series}{labels} 7")).unwrap().2
    };
    assert_eq!(of("DCGM_FI_DEV_POWER_USAGE", "1", "a"), "gpu=0 host=n uuid=GPU-a");
    assert_eq!(of("DCGM_FI_DEV_POWER_USAGE", "1", "a"), of("DCGM_FI_DEV_POWER_USAGE", "2", "b"));
    assert_eq!(of("DCGM_FI_DEV_FB_USED", "1", "a"), "gpu=0 host=n mig=1 mig_profile=1g.10gb tenant=a uuid=GPU-a");
    assert_ne!(of("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "1", "a"), of("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "2", "a"));
}

#[test]
fn the_tenant_is_the_works_and_not_the_exporters() {
    let of = |labels: &str| come_to(&format!("DCGM_FI_DEV_GPU_TEMP{{gpu=\"0\",{labels}}} 1")).unwrap().2;
    assert_eq!(
        of(r#"exported_namespace="ml",exported_pod="p",namespace="gpu-operator",pod="nvidia-dcgm-exporter-x""#),
        "gpu=0 tenant=ml"
    );
    assert_eq!(of(r#"namespace="gpu-operator",pod="nvidia-dcgm-exporter-x""#), "gpu=0");
    assert_eq!(of(r#"namespace="ml",pod="llm-0""#), "gpu=0 tenant=ml");
}

/// Lines in the shape that each engine writes them, and what they come to.
const OF_ENGINES: &[(&str, Metric, f64, &str)] = &[
    (
        r#"vllm:prompt_tokens_total{engine="0",model_name="m"} 9"#,
        Metric::EnginePromptTokens,
        9.0,
        "engine=vllm engine_index=0 model_name=m",
    ),
    (
        r#"vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.4"#,
        Metric::EngineKvUsed,
        0.4,
        "engine=vllm engine_index=1 model_name=m",
    ),
    (r#"vllm:gpu_cache_usage_perc{model_name="m"} 0.4"#, Metric::EngineKvUsed, 0.4, "engine=vllm model_name=m"),
    (
        r#"vllm:request_success_total{finished_reason="stop",model_name="m"} 3"#,
        Metric::EngineRequests,
        3.0,
        "engine=vllm finished_reason=stop model_name=m",
    ),
    (
        r#"vllm:time_to_first_token_seconds_bucket{le="0.1",model_name="m"} 3"#,
        Metric::EngineTtftBucket,
        3.0,
        "engine=vllm le=0.1 model_name=m",
    ),
    (
        r#"vllm:inter_token_latency_seconds_sum{model_name="m"} 3"#,
        Metric::EngineTpotSum,
        3.0,
        "engine=vllm model_name=m",
    ),
    (
        r#"sglang:num_queue_reqs{engine_type="unified",model_name="m",pp_rank="0",tp_rank="0"} 2"#,
        Metric::EngineWaiting,
        2.0,
        "engine=sglang engine_type=unified model_name=m pp_rank=0 tp_rank=0",
    ),
    (r#"sglang:token_usage{model_name="m"} 0.28"#, Metric::EngineKvUsed, 0.28, "engine=sglang model_name=m"),
    (
        r#"sglang:cached_tokens_total{cache_source="device",model_name="m"} 8"#,
        Metric::EngineCachedTokens,
        8.0,
        "cache_source=device engine=sglang model_name=m",
    ),
    (
        r#"trtllm_kv_cache_utilization{engine_type="trtllm",model_name="m"} 0.6"#,
        Metric::EngineKvUsed,
        0.6,
        "engine=trtllm engine_type=trtllm model_name=m",
    ),
    (
        r#"trtllm:request_success_total{model_name="m",finished_reason="length"} 6"#,
        Metric::EngineRequests,
        6.0,
        "engine=trtllm finished_reason=length model_name=m",
    ),
    (
        r#"nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 4"#,
        Metric::EngineWaiting,
        4.0,
        "engine=trtllm model_name=tensorrt_llm version=1",
    ),
    (
        r#"nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="tensorrt_llm",version="1"} 0.5"#,
        Metric::EngineKvUsed,
        0.5,
        "engine=trtllm model_name=tensorrt_llm version=1",
    ),
    (
        r#"dynamo_frontend_output_tokens_total{model="m"} 5"#,
        Metric::EngineOutputTokens,
        5.0,
        "engine=dynamo model_name=m",
    ),
    (
        r#"dynamo_frontend_time_to_first_token_seconds_count{model="m"} 5"#,
        Metric::EngineTtftCount,
        5.0,
        "engine=dynamo model_name=m",
    ),
    (
        r#"dynamo_component_gpu_cache_usage_percent{dynamo_component="backend",dynamo_endpoint="generate",dynamo_namespace="d"} 0.75"#,
        Metric::EngineKvUsed,
        0.75,
        "dynamo_component=backend dynamo_endpoint=generate dynamo_namespace=d engine=dynamo",
    ),
    (r#"num_requests_running{model_name="m"} 2"#, Metric::EngineRunning, 2.0, "engine=nim model_name=m"),
    (r#"time_per_output_token_seconds_sum{model_name="m"} 2"#, Metric::EngineTpotSum, 2.0, "engine=nim model_name=m"),
    (r#"gpu_cache_usage_perc{model_name="m"} 0.2"#, Metric::EngineKvUsed, 0.2, "engine=nim model_name=m"),
];

#[test]
fn engines_of_every_make_are_read() {
    for (line, metric, value, labels) in OF_ENGINES {
        check(line, *metric, *value, labels);
    }
}

#[test]
fn gpus_of_another_make_and_hosts_are_read() {
    use Metric as M;
    let amd = r#"gpu_id="2",serial_number="S9",card_model="MI300X",hostname="a1",gpu_partition_id="0",gpu_compute_partition_type="spx""#;
    let labels = "gpu=2 host=a1 model=MI300X uuid=S9";
    check(&format!("amd_gpu_power_usage{{{amd}}} 512"), M::GpuPower, 512.0, labels);
    check(&format!("gpu_average_package_power{{{amd}}} 500"), M::GpuPower, 500.0, labels);
    check(&format!("gpu_junction_temperature{{{amd}}} 71"), M::GpuTemperature, 71.0, labels);
    check(&format!("amd_gpu_used_vram{{{amd}}} 2"), M::GpuMemoryUsed, 2_097_152.0, labels);
    check(&format!("amd_gpu_energy_consumed{{{amd}}} 5000000"), M::GpuEnergy, 5.0, labels);
    check(
        &format!("amd_gpu_clock{{clock_index=\"0\",clock_type=\"GPU_CLOCK_TYPE_SYSTEM\",{amd}}} 2100"),
        M::GpuSmClock,
        2.1e9,
        labels,
    );
    check("node_memory_MemAvailable_bytes 8", M::NodeMemoryAvailable, 8.0, "");
    check("node_load1 0.5", M::NodeLoad, 0.5, "");
    check("node_cpu_seconds_total{cpu=\"3\",mode=\"idle\"} 8", M::NodeCpuSeconds, 8.0, "cpu=3 mode=idle");
    check("node_hwmon_power_average_watt{chip=\"acpi_ACPI000D:00\",sensor=\"power1\"} 4200", M::NodePower, 4200.0, "");
    check("ipmi_dcmi_power_consumption_watts 4300", M::NodePower, 4300.0, "");
    assert_eq!(come_to("node_hwmon_power_average_watt{chip=\"0000:03:00_0\",sensor=\"power1\"} 300"), None);
    check("gpu_power_watts{host=\"h\",gpu=\"0\",extra=\"x\"} 1", M::GpuPower, 1.0, "extra=x gpu=0 host=h");
}

#[test]
fn what_is_of_no_use_is_told_from_what_is_not_known() {
    for name in [
        "nvidia_smi_accounting_mode",
        "DCGM_FI_DEV_VGPU_LICENSE_STATUS",
        "go_goroutines",
        "node_disk_io_now",
        "vllm:cache_config_info",
        "nv_gpu_power_usage",
        "a_created",
        "up",
        "amd_gpu_nodes_total",
    ] {
        assert_eq!(canonical(name, &[]), Mapped::Ignored, "{name}");
    }
    for name in ["my_own_metric", "gpu_something_else", "temperature"] {
        assert_eq!(canonical(name, &[]), Mapped::Unknown, "{name}");
    }
}

#[test]
fn a_site_fills_in_what_the_exporter_does_not_say() {
    let site =
        Site { source: "s".into(), instance: "n:9400".into(), host: "n".into(), rack: "r1".into(), ..Site::default() };
    let of = |metric, labels: &[(&str, &str)]| -> Vec<(String, String)> {
        let labels = site.complete(metric, Labels::of(labels.iter().copied()));
        labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let pairs =
        |of: &[(&str, &str)]| -> Vec<(String, String)> { of.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect() };
    assert_eq!(
        of(Some(Metric::GpuPower), &[("host", "own")]),
        pairs(&[("host", "own"), ("rack", "r1"), ("source", "s")])
    );
    assert_eq!(
        of(Some(Metric::EngineRunning), &[]),
        pairs(&[("host", "n"), ("instance", "n:9400"), ("rack", "r1"), ("source", "s")])
    );
}

#[test]
fn every_row_has_its_source_and_a_name_of_its_own() {
    for family in FAMILIES {
        let mut seen = BTreeSet::new();
        for row in family.rows {
            assert!(!row.source.is_empty(), "{}", row.name);
            assert!(seen.insert((row.name, format!("{:?}", row.when))), "{} comes twice", row.name);
            // Two names for one thing need an order.
            let same = family.rows.iter().filter(|other| {
                other.metric == row.metric && other.rank == row.rank && other.adds == row.adds && other.name != row.name
            });
            assert_eq!(same.count(), 0, "{} has a sister of the same rank", row.name);
        }
        for histogram in family.histograms {
            assert!(
                !histogram.source.is_empty() && histogram.parts.iter().all(|part| part.subject() == Subject::Engine)
            );
        }
    }
}

#[test]
fn every_name_that_is_said_to_be_known_is_known() {
    assert!(known().count() > 150);
    for known in known() {
        assert!(!known.source.is_empty());
        let found = [known.name.clone(), format!("{}_sum", known.name)].iter().any(|name| {
            // Where a row holds for a label's value alone, that label is needed.
            let labels = [("request_type", "active"), ("kv_cache_block_type", "fraction"), ("chip", "power_meter")];
            [labels.to_vec(), vec![("request_type", "waiting")], vec![("clock_type", "GPU_CLOCK_TYPE_SYSTEM")], vec![("clock_type", "GPU_CLOCK_TYPE_MEMORY")]]
                .into_iter()
                .map(|labels| labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>())
                .any(|labels| matches!(canonical(name, &labels), Mapped::Reading(of) if of.metric == known.metric && of.exporter == known.exporter))
        });
        assert!(found, "{known:?}");
    }
}
