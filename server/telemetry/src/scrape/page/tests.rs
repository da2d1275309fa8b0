use super::*;
use crate::names::tests::data;
use model::metric::Metric;
use model::reading::label;
use proptest::prelude::*;
use std::fmt::Write;
use std::time::Instant;

fn reader() -> Reader {
    let site = Site { source: "s".into(), instance: "n:1".into(), ..Site::default() };
    Reader::new(site, "", Unmapped::Left, Limits::default())
}

/// The readings of a page, by name and labels, in words.
fn read(reader: &mut Reader, body: &str) -> Vec<String> {
    let page = reader.read(body.as_bytes(), Format::Prometheus, 1_000).unwrap();
    let mut all: Vec<String> = page.batch.readings.iter().map(|(key, _, value)| format!("{key} {value}")).collect();
    all.sort();
    all
}

fn values(page: &Page) -> Vec<(Metric, f64)> {
    page.batch.readings.iter().map(|(key, _, value)| (key.name.parse().unwrap(), *value)).collect()
}

const CAPTURES: &str = "telemetry/nvidia_gpu_exporter/linux-x86_64__nvidia-h100-";

#[test]
fn agrees_with_a_capture_of_a_loaded_h100() {
    let Some(body) = data(&format!("{CAPTURES}80gb-hbm3__590.48.01__load.metrics")) else { return };
    let page = reader().read(body.as_bytes(), Format::Prometheus, 1_000).unwrap();
    assert_eq!((page.faults.count(), page.batch.unknown), (0, 0), "{:?}", page.faults);
    assert_eq!(page.samples as usize, body.lines().filter(|line| !line.starts_with('#')).count());
    let values = values(&page);
    for (metric, value) in [
        (Metric::GpuPower, 631.95),
        (Metric::GpuPowerLimit, 700.0),
        (Metric::GpuPowerLimitMin, 200.0),
        (Metric::GpuTemperature, 59.0),
        (Metric::GpuMemoryTemperature, 54.0),
        (Metric::GpuSmClock, 1.98e9),
        (Metric::GpuMemoryClock, 2.619e9),
        (Metric::GpuMemoryUsed, 2.078_067_916_8e10),
        (Metric::GpuMemoryTotal, 8.552_080_998_4e10),
        (Metric::GpuUtilization, 1.0),
        (Metric::GpuMemoryUtilization, 0.11),
        (Metric::GpuProcesses, 3.0),
    ] {
        let of: Vec<f64> = values.iter().filter(|(known, _)| *known == metric).map(|(_, value)| *value).collect();
        assert_eq!(of, [value], "{metric}");
    }
    let labels = &page.batch.readings[0].0.labels;
    assert_eq!(labels.get(label::UUID), Some("GPU-00000000-0000-0000-0000-000000000000"));
    assert_eq!(labels.get(label::MODEL), Some("NVIDIA H100 80GB HBM3"));
    assert_eq!((labels.get(label::GPU), labels.get(label::DRIVER)), (Some("0"), Some("590.48.01")));
    assert!(page.exporters.contains("nvidia_gpu_exporter"));
}

#[test]
fn agrees_with_every_capture_line_for_line_and_page_for_page() {
    for name in
        ["80gb-hbm3__590.48.01__idle", "80gb-hbm3__590.48.01__load", "mig__590.48.01__idle", "mig__590.48.01__load"]
    {
        let Some(body) = data(&format!("{CAPTURES}{name}.metrics")) else { return };
        let mut reader = reader();
        let first = read(&mut reader, &body);
        assert!(first.len() >= 22, "{name}: {first:?}");
        assert_eq!(read(&mut reader, &body), first, "{name}: the second time, from memory");
        let keys: BTreeSet<&str> = first.iter().filter_map(|line| line.rsplit_once(' ')).map(|(key, _)| key).collect();
        assert_eq!(keys.len(), first.len(), "{name}: each key once");
    }
}

#[test]
fn a_better_series_is_used_and_a_worse_one_stands_in_for_it() {
    let mut reader = reader();
    let (good, fair) = ("nvidia_smi_power_draw_watts 5\n", "nvidia_smi_power_draw_instant_watts 6\n");
    let key = "gpu_power_watts{source=\"s\"}";
    for (body, want) in [
        (format!("{fair}{good}"), 5),
        (format!("{good}{fair}"), 5),
        (fair.to_owned(), 6),
        (format!("{fair}{good}"), 5),
        (good.to_owned(), 5),
        (fair.to_owned(), 6),
    ] {
        assert_eq!(read(&mut reader, &body), [format!("{key} {want}")], "{body}");
    }
    let mut other = self::reader();
    assert_eq!(read(&mut other, fair), [format!("{key} 6")]);
    assert_eq!(read(&mut other, &format!("{fair}{good}")), [format!("{key} 5")], "the better one came later");
    assert_eq!(read(&mut other, fair), [format!("{key} 6")]);
}

#[test]
fn a_pod_that_comes_and_goes_leaves_the_gpus_series_as_it_is() {
    let mut reader = reader();
    let line = |pod: &str| format!("DCGM_FI_DEV_GPU_TEMP{{gpu=\"0\",pod=\"{pod}\"}} 50\n");
    for pod in ["a", "b", "a", "", "c", "a"] {
        assert_eq!(read(&mut reader, &line(pod)), ["gpu_temperature_celsius{gpu=\"0\",source=\"s\"} 50"], "{pod}");
    }
    assert_eq!(read(&mut reader, &format!("{}{}", line("a"), line("b"))).len(), 1, "two pods share the GPU");
}

#[test]
fn a_series_that_stands_twice_counts_once_and_is_told() {
    let mut reader = reader();
    for _ in 0..2 {
        let page =
            reader.read(b"vllm:num_requests_running 1\nvllm:num_requests_running 2\n", Format::Prometheus, 0).unwrap();
        assert_eq!(values(&page), [(Metric::EngineRunning, 1.0)]);
        assert_eq!(
            page.faults.in_words().unwrap(),
            "line 2: the series stands on the page already; the first was used"
        );
    }
    let timed = reader.read(b"node_load1 1 100\nnode_load1 2 200\n", Format::Prometheus, 0).unwrap();
    assert_eq!((timed.batch.readings.len(), timed.faults.count()), (2, 0), "at two times it is two readings");
}

#[test]
fn what_is_no_number_is_absent_and_a_time_to_come_is_refused() {
    let page = reader().read(
        b"node_load1 NaN\nnode_boot_time_seconds +Inf\nnode_memory_MemTotal_bytes 1 999999\n",
        Format::Prometheus,
        0,
    );
    let page = page.unwrap();
    assert_eq!((page.batch.readings.len(), page.samples), (0, 3));
    assert_eq!(page.faults.in_words().unwrap(), "line 3: its time lies in the future");
}

#[test]
fn what_is_not_known_is_counted_or_kept_when_asked_for() {
    let body = b"mine{a=\"b\"} 1\ngo_goroutines 2\nbad{ 3\n";
    let page = reader().read(body, Format::Prometheus, 0).unwrap();
    assert_eq!((page.batch.readings.len(), page.batch.unknown, page.faults.count()), (0, 1, 1));
    let mut all = Reader::new(Site { source: "s".into(), ..Site::default() }, "", Unmapped::Kept, Limits::default());
    for _ in 0..2 {
        let page = all.read(body, Format::Prometheus, 0).unwrap();
        let keys: Vec<String> = page.batch.readings.iter().map(|(key, ..)| key.to_string()).collect();
        assert_eq!(keys, ["mine{a=\"b\",source=\"s\"}", "go_goroutines{source=\"s\"}"]);
        assert_eq!(page.faults.in_words().unwrap(), "line 3: `}` is missing after the labels");
    }
}

#[test]
fn a_host_names_itself_and_a_new_driver_is_taken_up() {
    let mut reader = reader();
    let page = "node_load1 1\nnode_uname_info{nodename=\"n7\"} 1\n";
    assert_eq!(read(&mut reader, page), ["node_load1{host=\"n7\",source=\"s\"} 1"]);
    let gpu = |driver: u32| {
        format!(
            "nvidia_smi_temperature_gpu{{uuid=\"u\"}} 1\nnvidia_smi_gpu_info{{uuid=\"u\",index=\"2\",driver_version=\"{driver}\"}} 1\n"
        )
    };
    assert!(read(&mut reader, &gpu(1))[0].contains("driver_version=\"1\",gpu=\"2\""));
    read(&mut reader, &gpu(2));
    assert!(read(&mut reader, &gpu(2))[0].contains("driver_version=\"2\",gpu=\"2\""));
}

#[test]
fn a_page_beyond_its_bounds_is_refused_whole() {
    let limits = Limits { samples: 10, ..Limits::default() };
    let mut reader = Reader::new(Site::default(), "", Unmapped::Kept, limits);
    let refused = reader.read("a 1\n".repeat(11).as_bytes(), Format::Prometheus, 0).unwrap_err();
    assert_eq!(refused.to_string(), "the page has more than 10 samples; the rest was left out");
    assert!(reader.known.slots.is_empty(), "nothing of it is remembered");
    assert_eq!(reader.read(b"<html>", Format::Prometheus, 0), Err(Refused::NotMetrics("a web page")));
    assert!(matches!(reader.read(b"a 1\n", Format::OpenMetrics, 0), Err(Refused::Bounds(_))));
}

#[test]
fn what_is_remembered_stays_bounded_when_every_page_is_new() {
    let mut reader = Reader::new(Site::default(), "", Unmapped::Kept, Limits::default());
    for page in 0..20 {
        let body = (0..2_000).fold(String::new(), |mut body, at| {
            writeln!(body, "a{{page=\"{page}\",at=\"{at}\"}} 1").unwrap();
            body
        });
        assert_eq!(reader.read(body.as_bytes(), Format::Prometheus, 0).unwrap().batch.readings.len(), 2_000);
        assert!(reader.known.slots.len() <= 2 * 2_000 + 1024 + 2_000, "{}", reader.known.slots.len());
    }
}

/// A page as DCGM exporter writes it, of so many GPUs.
fn dcgm(gpus: u32, watts: u32) -> String {
    let names = [
        "SM_CLOCK",
        "MEM_CLOCK",
        "MEMORY_TEMP",
        "GPU_TEMP",
        "POWER_USAGE",
        "TOTAL_ENERGY_CONSUMPTION",
        "GPU_UTIL",
        "FB_USED",
    ];
    let mut body = String::new();
    for (at, name) in names.iter().enumerate() {
        write!(body, "# HELP DCGM_FI_DEV_{name} Of some use.\n# TYPE DCGM_FI_DEV_{name} gauge\n").unwrap();
        for gpu in 0..gpus {
            writeln!(body, "DCGM_FI_DEV_{name}{{gpu=\"{gpu}\",UUID=\"GPU-0c2f1a5e-0000-4000-8000-{gpu:012}\",device=\"nvidia{gpu}\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"node-17\",DCGM_FI_DRIVER_VERSION=\"590.48.01\"}} {}.25", watts + gpu * 7 + at as u32).unwrap();
        }
    }
    body
}

/// How many lines a second `run` reads, in words.
fn rate(words: &str, page: &str, runs: u32, mut run: impl FnMut()) {
    let start = Instant::now();
    (0..runs).for_each(|_| run());
    let pages = f64::from(runs) / start.elapsed().as_secs_f64();
    let (lines, bytes) = (page.lines().count() as f64, page.len() as f64);
    eprintln!("{words}: {:.2} million lines/s, {:.0} MB/s", pages * lines / 1e6, pages * bytes / 1e6);
}

#[test]
fn a_line_that_grows_too_long_is_refused_from_memory_too() {
    let limits = Limits { line: 16, ..Limits::default() };
    let mut reader = Reader::new(Site::default(), "", Unmapped::Kept, limits);
    for (page, samples, faults) in
        [("a_series_of_mine 1\n", 0, 1), ("a_series_of 1\n", 1, 0), ("a_series_of 1234567\n", 0, 1)]
    {
        let page = reader.read(page.as_bytes(), Format::Prometheus, 0).unwrap();
        assert_eq!((page.samples, page.faults.count()), (samples, faults));
    }
}

#[test]
fn speed_is_printed() {
    let less = if cfg!(debug_assertions) { 20 } else { 1 };
    for (gpus, runs) in [(8, 4_000 / less), (400, 80 / less), (4_000, 20 / less)] {
        let (page, want) = (dcgm(gpus, 600), gpus as usize * 8);
        eprintln!("a page of {want} samples");
        let lines = || Lines::new(page.as_bytes(), Format::Prometheus, Limits::default()).filter_map(Result::ok);
        rate("  lines alone", &page, runs, || assert_eq!(lines().count(), want));
        rate("  series parsed too", &page, runs, || {
            assert_eq!(lines().filter(|line| series(line.series).is_ok()).count(), want);
        });
        let mut known = reader();
        let read = |reader: &mut Reader, page: &str| {
            let page = reader.read(page.as_bytes(), Format::Prometheus, 0).unwrap();
            assert_eq!(page.batch.readings.len(), want);
        };
        read(&mut known, &page);
        rate("  met for the first time", &page, runs.div_ceil(4), || read(&mut reader(), &page));
        rate("  met again", &page, runs, || read(&mut known, &page));
        let mut turned: Vec<&str> = page.lines().rev().collect();
        turned.push("");
        let turned = turned.join("\n");
        let mut turn = false;
        rate("  met again, the order turned each time", &page, runs, || {
            turn = !turn;
            read(&mut known, if turn { &turned } else { &page });
        });
    }
}

#[test]
fn a_steady_page_allocates_nothing_for_its_lines() {
    let (mut reader, page) = (reader(), dcgm(500, 600));
    for _ in 0..2 {
        reader.read(page.as_bytes(), Format::Prometheus, 0).unwrap();
    }
    let counted = allocation_counter::measure(|| {
        assert_eq!(reader.read(page.as_bytes(), Format::Prometheus, 0).unwrap().batch.readings.len(), 4_000);
    });
    assert!(counted.count_total <= 4, "{counted:?}");
}

proptest! {
    #[test]
    fn law_no_pages_make_the_reader_panic(pages in proptest::collection::vec(any::<Vec<u8>>(), 1..4), all: bool) {
        let mut reader = Reader::new(Site::default(), "", if all { Unmapped::Kept } else { Unmapped::Left }, Limits::default());
        for page in &pages {
            let _ = reader.read(page, Format::Prometheus, 0);
        }
    }

    #[test]
    fn law_memory_changes_nothing(pages in proptest::collection::vec(proptest::collection::vec((0_usize..9, 0_u8..3), 0..12), 1..6)) {
        // Ranks, twins of one key, what is unknown and what is bad, in every order, now there and now gone.
        let texts = ["nvidia_smi_power_draw_watts", "nvidia_smi_power_draw_instant_watts", "nvidia_smi_power_draw_average_watts",
            "DCGM_FI_DEV_GPU_TEMP{gpu=\"0\",pod=\"a\"}", "DCGM_FI_DEV_GPU_TEMP{pod=\"b\",gpu=\"0\"}", "node_load1", "mine", "bad{", "go_x"];
        let mut reader = reader();
        for page in pages {
            let body = page.iter().fold(String::new(), |body, (text, value)| format!("{body}{} {value}\n", texts[*text]));
            let fresh = read(&mut self::reader(), &body);
            let mut known = read(&mut reader, &body);
            // Of twins of one rank, which is used may depend on what came before; that there is one may not.
            let temperatures = |all: &[String]| all.iter().filter(|line| line.starts_with("gpu_temperature")).count();
            prop_assert_eq!(temperatures(&fresh), temperatures(&known));
            known.retain(|line| !line.starts_with("gpu_temperature"));
            prop_assert_eq!(known, fresh.into_iter().filter(|line| !line.starts_with("gpu_temperature")).collect::<Vec<_>>());
        }
    }
}
