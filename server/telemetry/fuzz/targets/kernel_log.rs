//! Lines of the kernel's log: XIDs, SXIDs, lost GPUs and restarts, in every shape in which logs are written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::event::{FleetEvent, Happening};
use telemetry::kernel_log::{Clock, LINE_MAX, Parser, pci_address};
use telemetry::xid;
use telemetry_fuzz::{NOW, data, start, within};

fuzz_target!(init: begin(), |data: &[u8]| {
    let mut here = Parser::of("log", None, Clock { boot_ms: Some(NOW - 1_000_000), utc_offset_s: 3_600 });
    let mut there = Parser::of("log", Some("node7"), Clock::default());
    for line in data.split(|byte| *byte == b'\n') {
        let event = within(line.len(), 256, || here.line(line, NOW));
        let other = there.line(line, NOW);
        assert_eq!(event.as_ref().map(|event| &event.what), other.as_ref().map(|event| &event.what));
        assert!(other.is_none_or(|event| event.host.as_deref() == Some("node7")));
        event.as_ref().map(told);
        forged(line);
    }
    assert!(here.gpus.len() <= 4_096);
});

/// What is kept of a line is short, an error has its GPU, and the catalog has an answer.
fn told(event: &FleetEvent) {
    assert!(event.message.len() <= 1_024 && event.host.as_ref().is_none_or(|host| host.len() <= LINE_MAX));
    if let Some(gpu) = &event.gpu {
        assert!(gpu.starts_with("GPU-") || pci_address(gpu).as_ref() == Some(gpu), "{gpu}");
    }
    match &event.what {
        Happening::Xid { code, detail } => {
            assert!(event.gpu.is_some() && detail.as_ref().is_none_or(|detail| detail.chars().count() <= 80));
            _ = (xid::verdict(*code, &event.message), xid::meaning(*code));
        }
        Happening::Sxid { .. } | Happening::GpuLost | Happening::HostRestarted => {}
        other => panic!("{other:?} is not the kernel's to tell"),
    }
}

/// The same words from a program are none of the kernel's, whatever they are.
fn forged(line: &[u8]) {
    let mut parser = Parser::of("log", None, Clock::default());
    for head in [&b"Feb 23 16:24:18 node7 job[4711]: "[..], b"<14>1 2025-02-23T16:24:18Z node7 job 4711 - - "] {
        assert_eq!(parser.line(&[head, line].concat(), NOW), None);
    }
}

fn begin() {
    let captures = ["dmesg_xid119.log", "fabricmanager.log", "kmsg1.log"].into_iter().filter_map(|name| {
        let log = data(&format!("telemetry/gpud/{name}"))?;
        let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
        Some(lines.chunks(8).map(<[_]>::concat).collect::<Vec<_>>())
    });
    let words = concat!(
        "NVRM: Xid (PCI:0000:06:00): |NVRM: |XID (|): 144, |): 154, | changed from 0x0 (None) to 0x1 (|GPU at PCI:|",
        "nvidia-nvswitch0: SXid (PCI:0000:c3:00.0): |detected NVSwitch | error |Severity|Linux version |pid=1, |",
        "name=a, |fallen off the bus| kernel: | kernel - - - |Feb 23 16:24:18 |2025-02-23T16:24:18|+01:00 |[ 12.5] |",
        "6,1,5,-;|RLW_REMAP Nonfatal XC1 i0 Link 03 (0x|(0x10000, |{\"MESSAGE\":\"|\"_TRANSPORT\":\"kernel\"",
    );
    start(captures.flatten(), words.split('|'));
}
