//! Readings as they came, of many series, as bytes: what is written every second before anything is sealed.

use crate::chunk::Damaged;
use model::reading::Sample;

/// A value follows as eight bytes.
const PLAIN: u8 = 255;
/// Decimals that are tried for a short value: whole numbers, and thousandths as drivers count.
const DECIMALS: [(u8, f64); 2] = [(0, 1.0), (3, 1_000.0)];
/// Whole numbers below this take fewer than eight bytes.
const SHORT_MAX: f64 = 1e12;

/// Readings of numbered series, in the order in which they came.
pub fn encode(readings: &[(u32, Sample)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(readings.len() * 6);
    let (mut series, mut at_ms) = (0_i64, 0_i64);
    for (id, sample) in readings {
        varint(&mut bytes, zigzag(i64::from(*id) - series));
        varint(&mut bytes, zigzag(sample.at_ms.wrapping_sub(at_ms)));
        (series, at_ms) = (i64::from(*id), sample.at_ms);
        value(&mut bytes, sample.value);
    }
    bytes
}

fn value(bytes: &mut Vec<u8>, value: f64) {
    for (decimals, power) in DECIMALS {
        let whole = (value * power).round();
        if whole.abs() < SHORT_MAX && (whole / power).to_bits() == value.to_bits() {
            bytes.push(decimals);
            return varint(bytes, zigzag(whole as i64));
        }
    }
    bytes.push(PLAIN);
    bytes.extend_from_slice(&value.to_le_bytes());
}

/// What [`encode`] was given.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<(u32, Sample)>, Damaged> {
    let mut readings = Vec::new();
    let (mut series, mut at_ms) = (0_i64, 0_i64);
    while !bytes.is_empty() {
        series = series.checked_add(unzigzag(take_varint(&mut bytes)?)).ok_or(Damaged)?;
        at_ms = at_ms.wrapping_add(unzigzag(take_varint(&mut bytes)?));
        let id = u32::try_from(series).map_err(|_| Damaged)?;
        readings.push((id, Sample { at_ms, value: take_value(&mut bytes)? }));
    }
    Ok(readings)
}

fn take_value(bytes: &mut &[u8]) -> Result<f64, Damaged> {
    let (how, rest) = bytes.split_first().ok_or(Damaged)?;
    *bytes = rest;
    if *how == PLAIN {
        let (plain, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
        *bytes = rest;
        return Ok(f64::from_le_bytes(*plain));
    }
    let (_, power) = DECIMALS.iter().find(|(decimals, _)| decimals == how).ok_or(Damaged)?;
    Ok(unzigzag(take_varint(bytes)?) as f64 / power)
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, Damaged> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Damaged)
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn law_what_was_written_comes_back(
            readings in prop::collection::vec((any::<u32>(), any::<i64>(), any::<u64>().prop_map(f64::from_bits)), 0..50),
            thousandths in any::<i32>(),
        ) {
            let mut readings: Vec<(u32, Sample)> =
                readings.into_iter().map(|(id, at_ms, value)| (id, Sample { at_ms, value })).collect();
            readings.push((3, Sample { at_ms: 4, value: f64::from(thousandths) / 1_000.0 }));
            let bits = |readings: &[(u32, Sample)]| -> Vec<(u32, i64, u64)> {
                readings.iter().map(|(id, sample)| (*id, sample.at_ms, sample.value.to_bits())).collect()
            };
            prop_assert_eq!(bits(&decode(&encode(&readings)).unwrap()), bits(&readings));
        }

        #[test]
        fn law_damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_scrape_of_many_gpus_takes_a_few_bytes_a_reading() {
        let readings: Vec<(u32, Sample)> = (0..1_000_u32)
            .map(|id| (id, Sample { at_ms: 1_700_000_000_000, value: 412.0 + f64::from(id % 97) / 1_000.0 }))
            .collect();
        assert!(encode(&readings).len() < 7_000, "{}", encode(&readings).len());
    }
}
