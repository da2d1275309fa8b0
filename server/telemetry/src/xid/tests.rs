use super::*;
use crate::kernel_log::tests::data;
use std::collections::BTreeSet;

fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(letter),
        }
    }
    rows
}

fn bucket(text: &str) -> Option<XidAction> {
    Some(match text {
        "" | "N/A Informational only regarding another Xid" => return None,
        "IGNORE" | "IGNORE (sympathetic)" => XidAction::Ignore,
        "RESTART_APP" | "XID_154_EVAL" => XidAction::RestartApp,
        "RESET_GPU" => XidAction::ResetGpu,
        "RESTART_BM" => XidAction::RestartHost,
        "RESTART_VM" => XidAction::RestartVm,
        "CHECK_MECHANICALS" => XidAction::CheckMechanicals,
        "UPDATE_SWFW" => XidAction::UpdateSoftware,
        "CHECK_UVM" => XidAction::CheckUvm,
        "CHECK_APP/CUDA" | "INVESTIGATE_SW" | "INVESTIGATE_SW_USER" | "XID_137_FLOW" => XidAction::CheckSoftware,
        "INVESTIGATE_LINK_SI" => XidAction::CheckLink,
        "CONTACT_SUPPORT" | "SYMPATHETIC_REPORT_SOLO" => XidAction::ContactSupport,
        "XID_154" => XidAction::Workflow,
        flow if flow.starts_with("WORKFLOW") || flow.starts_with("Solo") => XidAction::Workflow,
        other => panic!("no such bucket: {other}"),
    })
}

#[test]
fn the_catalog_that_we_ship_is_well_formed() {
    let catalog = parse(include_str!("../../rows/xid.toml")).unwrap();
    let codes: BTreeSet<u32> = catalog.rows.iter().map(|row| row.meaning.code).collect();
    assert_eq!(codes.len(), catalog.rows.len(), "a number comes twice");
    for Row { meaning, .. } in &catalog.rows {
        assert!(
            !meaning.words.is_empty() && !meaning.words.ends_with('.') && !meaning.mnemonic.is_empty(),
            "{meaning:?}"
        );
    }
}

#[test]
fn agrees_with_the_published_catalog_for_every_code() {
    let Some(text) = data("telemetry/xid/xid_catalog.csv") else { return };
    let rows = csv(&text);
    for cells in &rows[1..] {
        let code: u32 = cells[1].parse().unwrap();
        let row = row(code).unwrap_or_else(|| panic!("XID {code} is missing"));
        assert_eq!(row.meaning.mnemonic, cells[2], "{code}");
        let on: Vec<Generation> =
            ALL.into_iter().zip(&cells[4..8]).filter(|(_, yes)| *yes == "YES").map(|(is, _)| is).collect();
        assert_eq!(row.on, on, "{code}");
        match bucket(&cells[8]) {
            Some(action) => assert_eq!((row.meaning.immediate, row.ours), (action, false), "{code}"),
            None => assert!(row.ours, "{code}: the catalog gives no action"),
        }
        if !row.ours {
            assert_eq!(row.meaning.investigate, bucket(&cells[9]), "{code}");
        }
    }
    assert_eq!(CATALOG.rows.len(), rows.len() - 1);
}

/// A value that fits a pattern of bits, its open places set or clear.
fn fitting(pattern: &str, open: char) -> u32 {
    u32::from_str_radix(&pattern.replace('-', &open.to_string()), 2).unwrap()
}

#[test]
fn agrees_with_the_published_decode_of_nvlink_errors() {
    let Some(text) = data("telemetry/xid/xid_144_150_decode.csv") else { return };
    let mut seen = 0;
    for cells in &csv(&text)[1..] {
        let code: u32 = cells[0].parse().unwrap();
        let names: Vec<&str> = cells[1].split('/').collect();
        let statuses: Vec<&str> = if cells[4].is_empty() { vec!["0x0000dead"] } else { cells[4].split('/').collect() };
        // Both layouts, and both answers where a bit above the unit decides; a layout's unit has its own name.
        let cases =
            [(2, 5, names[0]), (3, 5, names[names.len() - 1]), (6, 8, names[0]), (7, 8, names[names.len() - 1])];
        for (pattern, action, unit) in cases {
            if cells[pattern].is_empty() {
                continue;
            }
            for status in &statuses {
                let info = fitting(&cells[pattern], '0');
                let line = format!(
                    "NVRM: Xid (PCI:0009:01:00): {code}, {unit} Fatal XC0 i0 Link 01 ({info:#010x} {status} 0x00000000)"
                );
                let verdict = verdict(code, &line);
                assert_eq!(Some(verdict.action), bucket(&cells[action]), "{line}");
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "only {seen} cases");
}

#[test]
fn links_of_older_and_newer_drivers_are_decoded() {
    let down =
        "NVRM: Xid (PCI:0018:01:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 09 (0x025525c6 0x00000000 0x00000000)";
    let of = |line: &str| (verdict(149, line).action, verdict(149, line).investigate);
    assert_eq!(of(down), (XidAction::ResetGpu, Some(XidAction::CheckLink)));
    let asleep = "NVRM: Xid (PCI:0000:00:00): 149, pid=1, name=a b, NETIR_LINK_DOWN Fatal XC0 i0 Link 00 (0x02600011 0x00000000)";
    assert_eq!(of(asleep), (XidAction::Ignore, Some(XidAction::CheckSoftware)));
    assert_eq!(of("NVRM: Xid (PCI:0000:00:00): 149").0, XidAction::Workflow, "a line without words: the catalog's row");
    assert_eq!(of("NVRM: Xid (PCI:0000:00:00): 149, NETIR_LINK_EVT Fatal (0xffffffff)").0, XidAction::Workflow);
}

#[test]
fn xid_154_says_itself_what_to_do() {
    let asks = |to: &str| {
        verdict(154, &format!("NVRM: Xid (PCI:0008:01:00): 154, GPU recovery action changed from 0x0 (None) to {to}"))
            .action
    };
    assert_eq!(asks("0x1 (GPU Reset Required)"), XidAction::ResetGpu);
    assert_eq!(asks("0x1 (PF FLR)"), XidAction::ResetGpu);
    assert_eq!(asks("0x2 (Node Reboot Required)"), XidAction::RestartHost);
    assert_eq!(asks("0x2 (OS Reboot)"), XidAction::RestartHost);
    assert_eq!(asks("0x3 (Drain P2P)"), XidAction::RestartApp);
    assert_eq!(asks("0x4 (Drain and Reset)"), XidAction::DrainAndReset);
    assert_eq!(asks("0x0 (None)"), XidAction::Ignore);
    assert_eq!(asks("0x2 (Something new)"), XidAction::RestartHost, "the number stands where words are new");
    assert_eq!(asks("0x9 (Something new)"), XidAction::Workflow);
    assert_eq!(verdict(154, "NVRM: Xid (PCI:0000:02:00): 154, Node Reboot Required").action, XidAction::RestartHost);
    assert_eq!(verdict(154, "").action, XidAction::Workflow);
}

#[test]
fn the_registers_of_xid_74_are_read() {
    let of = |registers: &str| {
        let line = format!(
            "NVRM: Xid (PCI:0000:b9:00): 74, pid=<unknown>, name=<unknown>, NVLink: fatal error detected on link 6({registers})"
        );
        verdict(74, &line)
    };
    assert_eq!(of("0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").action, XidAction::ContactSupport);
    assert!(of("0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").why.unwrap().contains("seat"));
    assert_eq!(of("0x40800001, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").action, XidAction::Ignore, "bits 0, 23 and 30");
    assert_eq!(
        of("0x0, 0x0, 0x0, 0x0, 0x100000, 0x0, 0x0").action,
        XidAction::Ignore,
        "a threshold of corrected errors"
    );
    let both = of("0x2, 0x0, 0x2000, 0x0, 0x0, 0x0, 0x0").why.unwrap();
    assert!(both.contains("not expected in a product") && !both.contains("follows"), "{both}");
    assert!(of("0x2, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").why.unwrap().contains("follows"));
    assert!(of("0x80000000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").why.unwrap().contains("does not expect"));
    assert_eq!(of("nonsense").action, XidAction::Workflow);
    assert_eq!(of("0x0, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0").action, XidAction::Workflow, "no bit, no verdict");
}

#[test]
fn an_unknown_number_is_one_for_support() {
    for code in [0, 173, 999, u32::MAX] {
        assert_eq!((meaning(code).immediate, meaning(code).mnemonic.as_str()), (XidAction::ContactSupport, ""));
    }
}

proptest::proptest! {
    #[test]
    fn law_no_words_make_a_verdict_panic(code in 0_u32..200, words in "\\PC{0,80}", tail in "[(),0-9a-fx ]{0,60}") {
        verdict(code, &words);
        verdict(code, &format!("NVRM: Xid (PCI:0000:01:00): {code}, {words}({tail}"));
    }
}
