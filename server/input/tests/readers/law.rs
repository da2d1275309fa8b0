//! Laws: no bytes make a reader panic, and what is read is a whole and finite year.

use crate::site::{azure, carbon, epw, greenwich, mooncake, open_meteo, prices, servegen, site, table};
use model::scenario::{HOURS, Series};
use proptest::prelude::*;
use sim::replay::request::Arrival;
use std::sync::LazyLock;

static FILES: LazyLock<[Vec<u8>; 8]> = LazyLock::new(|| {
    let texts = [epw(1, 0.0, 29), open_meteo(), prices(), carbon(), azure(30, 60), mooncake(), servegen(), table()];
    texts.map(String::into_bytes)
});

fn whole(series: &Series) {
    let per_hour = (1.0 / series.interval.as_hours()).round() as usize;
    assert_eq!(series.values.len(), HOURS as usize * per_hour);
    assert!(series.values.iter().all(|value| value.is_finite()));
}

/// Every reader on the same bytes.
fn read_all(bytes: &[u8], utc_offset_h: f64) {
    let here = site(40.0, -100.0, 500.0, utc_offset_h);
    if let Ok((weather, _)) = input::weather("f", bytes, &here) {
        whole(&weather.dry_bulb_c);
        whole(&weather.wet_bulb_c);
        assert!(weather.wet_bulb_c.values.iter().zip(&weather.dry_bulb_c.values).all(|(wet, dry)| wet <= dry));
        assert!(weather.pressure.as_pascals() > 0.0);
    }
    if let Ok((series, _)) = input::prices("f", bytes, &here) {
        whole(&series);
    }
    if let Ok((series, _)) = input::carbon("f", bytes, &here) {
        whole(&series);
        assert!(series.values.iter().all(|value| *value >= 0.0));
    }
    if let Ok((requests, _)) = input::requests("f", bytes, &here, None, &[1.0; 168]) {
        whole(&requests.rate_per_s);
        assert!(requests.rate_per_s.values.iter().all(|rate| *rate >= 0.0));
        assert!(requests.prefix_reuse.is_none_or(|share| (0.0..=1.0).contains(&share.as_fraction())));
    }
    if let Ok((list, report)) = input::request_list("f", bytes) {
        assert_eq!(list.requests.list.len(), report.rows as usize);
        for (index, request) in list.requests.list.iter().enumerate() {
            assert!(request.input > 0 && request.output > 0);
            assert_eq!(list.requests.blocks_of(request).len(), request.blocks_count as usize);
            match request.arrival {
                Arrival::At { at_s } => assert!(at_s.is_finite() && at_s >= 0.0),
                Arrival::After { request, pause_s } => assert!((request as usize) < index && pause_s >= 0.0),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn law_arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        read_all(&bytes, 0.0);
    }

    #[test]
    fn law_arbitrary_text_never_panics(
        head in prop::sample::select(vec![
            "", "LOCATION,", "latitude,longitude,utc_offset_seconds\n", "time,temp_c,rh_pct\n", "time,price\n",
            "timestamp,avg_CI\n", "TIMESTAMP,ContextTokens,GeneratedTokens\n", "model,t_s,rate_rps\n",
            "at_s,input_tokens,output_tokens,session,pause_s\n", "{\"timestamp\":",
        ]),
        body in "[0-9a-z,:;T+ \t\n\"{}.é-]{0,400}",
    ) {
        read_all(format!("{head}{body}").as_bytes(), 5.75);
    }

    /// A good file with bytes changed, a part cut out, and another part doubled.
    #[test]
    fn law_spoilt_files_never_panic(
        file in 0..8_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in (any::<prop::sample::Index>(), 0..2000_usize),
        doubled in (any::<prop::sample::Index>(), 0..2000_usize),
        utc_offset_h in -12.0..14.0_f64,
    ) {
        let mut bytes = FILES[file].clone();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let at = cut.0.index(bytes.len());
        bytes.drain(at..(at + cut.1).min(bytes.len()));
        let at = doubled.0.index(bytes.len());
        let part = bytes[at..(at + doubled.1).min(bytes.len())].to_vec();
        bytes.splice(at..at, part);
        read_all(&bytes, utc_offset_h);
    }

    /// A file in UTC read in any whole-hour zone is the same year, turned.
    #[test]
    fn law_zones_turn_the_year(hours in -12..14_i32) {
        let bytes = &FILES[2];
        let (utc, _) = input::prices("f", bytes, &greenwich()).unwrap();
        let (mut there, _) = input::prices("f", bytes, &site(0.0, 0.0, 0.0, f64::from(hours))).unwrap();
        there.values.rotate_left(hours.rem_euclid(8760) as usize);
        prop_assert_eq!(utc.values, there.values);
    }
}
