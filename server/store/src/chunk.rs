//! A stretch of one series as a few bytes: times by the change of their spacing, values as what changes least.
//!
//! Times: delta of delta, nothing at all where the spacing is even, or how far each delta is above the least. Values, whichever is the shortest: one constant;
//! decimal fractions as whole numbers with a common exponent, by their delta or its delta, divided by what they have in
//! common, as Rice codes; or any floats, each XORed with the one before (after Facebook's Gorilla, VLDB 2015).
//! What comes out is bit for bit what went in. Never: reads a file or a clock.

use model::reading::{Bucket, Sample};

/// The bytes are no chunk: they were cut or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stretch of history is damaged")]
pub struct Damaged;

/// How times are written.
const CHANGES: u8 = 0;
const ABOVE_LEAST: u8 = 1;
/// How values are written.
const CONSTANT: u8 = 0;
const DELTA: u8 = 1;
const DELTA_OF_DELTA: u8 = 2;
const XOR: u8 = 3;
/// Unary quotients of Rice codes are cut here; a greater number follows in full.
const QUOTIENT_MAX: u32 = 20;
/// The least power of ten by which a value may have to be multiplied to be whole.
const DECIMALS_MAX: u32 = 9;
/// Whole numbers below this are exact as floats.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// More than any caller writes; a count above it is damage, and must not be believed when memory is taken.
const COUNT_MAX: u64 = 1 << 20;

/// Samples in the order of their times, as bytes.
pub fn encode(samples: &[Sample]) -> Vec<u8> {
    let times: Vec<i64> = samples.iter().map(|sample| sample.at_ms).collect();
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    let mut bits = Writer::default();
    bits.varint(samples.len() as u64);
    write_times(&mut bits, &times);
    write_values(&mut bits, &values);
    bits.done()
}

/// The samples of a chunk.
pub fn decode(bytes: &[u8]) -> Result<Vec<Sample>, Damaged> {
    let mut bits = Reader::of(bytes);
    let count = bits.count()?;
    let times = read_times(&mut bits, count)?;
    let values = read_values(&mut bits, count)?;
    Ok(times.into_iter().zip(values).map(|(at_ms, value)| Sample { at_ms, value }).collect())
}

/// Buckets in the order of their times, as bytes: each column by itself, the sum rather than the mean, since sums of
/// decimal fractions are decimal fractions.
pub fn encode_buckets(buckets: &[Bucket]) -> Vec<u8> {
    let mut bits = Writer::default();
    bits.varint(buckets.len() as u64);
    write_times(&mut bits, &buckets.iter().map(|bucket| bucket.start_ms).collect::<Vec<_>>());
    let columns: [fn(&Bucket) -> f64; 4] =
        [|bucket| bucket.min, |bucket| bucket.max, |bucket| bucket.sum, |bucket| f64::from(bucket.count)];
    for column in columns {
        write_values(&mut bits, &buckets.iter().map(column).collect::<Vec<_>>());
    }
    bits.done()
}

/// The buckets of a chunk.
pub fn decode_buckets(bytes: &[u8]) -> Result<Vec<Bucket>, Damaged> {
    let mut bits = Reader::of(bytes);
    let count = bits.count()?;
    let starts = read_times(&mut bits, count)?;
    let (mins, maxs) = (read_values(&mut bits, count)?, read_values(&mut bits, count)?);
    let (sums, counts) = (read_values(&mut bits, count)?, read_values(&mut bits, count)?);
    let rows = starts.into_iter().zip(mins.into_iter().zip(maxs)).zip(sums.into_iter().zip(counts));
    let bucket = |((start_ms, (min, max)), (sum, count)): ((i64, (f64, f64)), (f64, f64))| {
        let whole = count >= 1.0 && count <= f64::from(u32::MAX);
        whole.then_some(Bucket { start_ms, min, max, sum, count: count as u32 }).ok_or(Damaged)
    };
    rows.map(bucket).collect()
}

/// Even spacing costs nothing beyond its first step; where it is uneven, whichever is shorter of its change and its
/// difference from the least.
fn write_times(bits: &mut Writer, times: &[i64]) {
    let Some(first) = times.first() else { return };
    bits.varint(zigzag(*first));
    let spaces: Vec<i64> = times.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let Some(least) = spaces.iter().min() else { return };
    let changes: Vec<u64> = spaces.windows(2).map(|pair| zigzag(pair[1].wrapping_sub(pair[0]))).collect();
    let above: Vec<u64> = spaces.iter().map(|space| space.wrapping_sub(*least).cast_unsigned()).collect();
    if rice_parameter(&above).1 < rice_parameter(&changes).1 {
        bits.byte(ABOVE_LEAST);
        bits.varint(zigzag(*least));
        write_rice(bits, &above);
    } else {
        bits.byte(CHANGES);
        bits.varint(zigzag(spaces[0]));
        write_rice(bits, &changes);
    }
}

fn read_times(bits: &mut Reader, count: usize) -> Result<Vec<i64>, Damaged> {
    let mut times = Vec::with_capacity(count);
    if count > 0 {
        times.push(unzigzag(bits.varint()?));
    }
    if count > 1 {
        let mut at = times[0];
        let how = bits.byte()?;
        let mut space = unzigzag(bits.varint()?);
        let mut push = |space: i64| {
            at = at.wrapping_add(space);
            times.push(at);
        };
        match how {
            ABOVE_LEAST => {
                let above = read_rice(bits, count - 1)?;
                for more in above {
                    push(space.wrapping_add(more.cast_signed()));
                }
            }
            CHANGES => {
                push(space);
                for change in read_rice(bits, count - 2)? {
                    space = space.wrapping_add(unzigzag(change));
                    push(space);
                }
            }
            _ => return Err(Damaged),
        }
    }
    Ok(times)
}

fn write_values(bits: &mut Writer, values: &[f64]) {
    let Some(first) = values.first() else { return };
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        bits.byte(CONSTANT);
        write_number(bits, *first);
        return;
    }
    let Some((wholes, decimals)) = wholes(values) else {
        bits.byte(XOR);
        return write_xor(bits, values);
    };
    let deltas: Vec<i64> = wholes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let changes: Vec<i64> = deltas.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (by_delta, by_change) = (Folded::of(&deltas), Folded::of(&changes));
    let second = by_change.bits < by_delta.bits;
    bits.byte(if second { DELTA_OF_DELTA } else { DELTA });
    bits.byte(decimals as u8);
    bits.varint(zigzag(wholes[0]));
    if second {
        bits.varint(zigzag(deltas[0]));
        by_change.write(bits);
    } else {
        by_delta.write(bits);
    }
}

fn read_values(bits: &mut Reader, count: usize) -> Result<Vec<f64>, Damaged> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let how = bits.byte()?;
    if how == CONSTANT {
        return Ok(vec![read_number(bits)?; count]);
    }
    if how == XOR {
        return read_xor(bits, count);
    }
    let decimals = u32::from(bits.byte()?);
    if !(how == DELTA || how == DELTA_OF_DELTA) || decimals > DECIMALS_MAX || count < 2 {
        return Err(Damaged);
    }
    let power = 10_f64.powi(decimals.cast_signed());
    let mut whole = unzigzag(bits.varint()?);
    let mut values = Vec::with_capacity(count);
    values.push(whole as f64 / power);
    let mut push = |delta: i64| {
        whole = whole.wrapping_add(delta);
        values.push(whole as f64 / power);
    };
    if how == DELTA {
        Folded::read(bits, count - 1)?.into_iter().for_each(&mut push);
    } else {
        let mut delta = unzigzag(bits.varint()?);
        push(delta);
        for change in Folded::read(bits, count - 2)? {
            delta = delta.wrapping_add(change);
            push(delta);
        }
    }
    Ok(values)
}

/// The values as whole numbers with one number of decimals, where that loses nothing.
fn wholes(values: &[f64]) -> Option<(Vec<i64>, u32)> {
    let mut decimals = 0;
    for value in values {
        while !is_whole_with(*value, decimals) {
            decimals += 1;
            if decimals > DECIMALS_MAX {
                return None;
            }
        }
    }
    let power = 10_f64.powi(decimals.cast_signed());
    // A value that had fewer decimals need not be exact with more.
    let exact = values.iter().all(|value| is_whole_with(*value, decimals));
    exact.then(|| (values.iter().map(|value| (value * power).round() as i64).collect(), decimals))
}

fn is_whole_with(value: f64, decimals: u32) -> bool {
    let power = 10_f64.powi(decimals.cast_signed());
    let whole = (value * power).round();
    whole.abs() < WHOLE_MAX && ((whole as i64) as f64 / power).to_bits() == value.to_bits()
}

/// Numbers divided by what they all have in common.
struct Folded {
    common: u64,
    numbers: Vec<u64>,
    bits: u64,
}

impl Folded {
    fn of(numbers: &[i64]) -> Self {
        let common = numbers.iter().fold(0_u64, |common, number| gcd(common, number.unsigned_abs())).max(1);
        let numbers: Vec<u64> =
            numbers.iter().map(|number| zigzag(number / i64::try_from(common).unwrap_or(1))).collect();
        let bits = rice_parameter(&numbers).1;
        Self { common, numbers, bits }
    }
    fn write(&self, bits: &mut Writer) {
        bits.varint(self.common);
        write_rice(bits, &self.numbers);
    }
    fn read(bits: &mut Reader, count: usize) -> Result<Vec<i64>, Damaged> {
        let common = i64::try_from(bits.varint()?).map_err(|_| Damaged)?;
        Ok(read_rice(bits, count)?.into_iter().map(|number| unzigzag(number).wrapping_mul(common)).collect())
    }
}

fn gcd(mut left: u64, mut right: u64) -> u64 {
    while right > 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// The parameter with which these numbers are shortest as Rice codes, and how many bits that takes.
fn rice_parameter(numbers: &[u64]) -> (u32, u64) {
    let mean = numbers.iter().map(|number| *number as f64).sum::<f64>() / numbers.len().max(1) as f64;
    let likely = (mean + 1.0).log2().floor().clamp(0.0, 60.0) as u32;
    let wide = width(numbers);
    (likely.saturating_sub(4)..=likely + 1)
        .map(|parameter| {
            let one = |number: &u64| {
                let quotient = number >> parameter;
                if quotient < u64::from(QUOTIENT_MAX) {
                    quotient + 1 + u64::from(parameter)
                } else {
                    u64::from(QUOTIENT_MAX + wide)
                }
            };
            (parameter, numbers.iter().map(one).sum::<u64>())
        })
        .min_by_key(|(_, bits)| *bits)
        .unwrap_or((0, 0))
}

/// Bits that the greatest of the numbers needs.
fn width(numbers: &[u64]) -> u32 {
    64 - numbers.iter().fold(0_u64, |all, number| all | number).leading_zeros()
}

/// Parameter, width of what is written in full, then the codes. Nothing but a mark where all are zero.
fn write_rice(bits: &mut Writer, numbers: &[u64]) {
    let wide = width(numbers);
    bits.byte(wide as u8);
    if wide == 0 {
        return;
    }
    let (parameter, _) = rice_parameter(numbers);
    bits.byte(parameter as u8);
    for number in numbers {
        let quotient = number >> parameter;
        if quotient < u64::from(QUOTIENT_MAX) {
            bits.ones(quotient as u32);
            bits.put(0, 1);
            bits.put(*number, parameter);
        } else {
            bits.ones(QUOTIENT_MAX);
            bits.put(*number, wide);
        }
    }
}

fn read_rice(bits: &mut Reader, count: usize) -> Result<Vec<u64>, Damaged> {
    let wide = u32::from(bits.byte()?);
    if wide == 0 {
        return Ok(vec![0; count]);
    }
    let parameter = u32::from(bits.byte()?);
    if wide > 64 || parameter > 63 {
        return Err(Damaged);
    }
    (0..count)
        .map(|_| {
            let quotient = bits.ones(QUOTIENT_MAX)?;
            if quotient == QUOTIENT_MAX {
                return bits.take(wide);
            }
            Ok((u64::from(quotient) << parameter) | bits.take(parameter)?)
        })
        .collect()
}

/// Each value XORed with the one before: its meaningful bits, in the window of the one before where they fit.
fn write_xor(bits: &mut Writer, values: &[f64]) {
    let mut before = values[0].to_bits();
    bits.put(before, 64);
    let (mut leading, mut length) = (64, 0);
    for value in &values[1..] {
        let xor = value.to_bits() ^ before;
        before = value.to_bits();
        if xor == 0 {
            bits.put(0, 1);
            continue;
        }
        let (zeros, trailing) = (xor.leading_zeros().min(31), xor.trailing_zeros());
        if zeros >= leading && trailing >= 64 - leading - length {
            bits.put(0b10, 2);
        } else {
            (leading, length) = (zeros, 64 - zeros - trailing);
            bits.put(0b11, 2);
            bits.put(u64::from(leading), 5);
            bits.put(u64::from(length - 1), 6);
        }
        bits.put(xor >> (64 - leading - length), length);
    }
}

fn read_xor(bits: &mut Reader, count: usize) -> Result<Vec<f64>, Damaged> {
    let mut before = bits.take(64)?;
    let mut values = Vec::with_capacity(count);
    values.push(f64::from_bits(before));
    let (mut leading, mut length) = (0, 0);
    for _ in 1..count {
        if bits.take(1)? == 1 {
            if bits.take(1)? == 1 {
                leading = bits.take(5)? as u32;
                length = bits.take(6)? as u32 + 1;
            }
            if length == 0 || leading + length > 64 {
                return Err(Damaged);
            }
            before ^= bits.take(length)? << (64 - leading - length);
        }
        values.push(f64::from_bits(before));
    }
    Ok(values)
}

/// One number: short where it is a whole one.
fn write_number(bits: &mut Writer, value: f64) {
    if let Some((wholes, decimals)) = wholes(&[value]) {
        bits.byte(decimals as u8);
        bits.varint(zigzag(wholes[0]));
    } else {
        bits.byte(u8::MAX);
        bits.put(value.to_bits(), 64);
    }
}

fn read_number(bits: &mut Reader) -> Result<f64, Damaged> {
    match u32::from(bits.byte()?) {
        255 => Ok(f64::from_bits(bits.take(64)?)),
        decimals if decimals <= DECIMALS_MAX => {
            Ok(unzigzag(bits.varint()?) as f64 / 10_f64.powi(decimals.cast_signed()))
        }
        _ => Err(Damaged),
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Bits, the highest of a byte first.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    held: u64,
    holds: u32,
}

impl Writer {
    /// The lowest `count` bits of a number.
    fn put(&mut self, number: u64, count: u32) {
        if count > 32 {
            self.put(number >> 32, count - 32);
            return self.put(number & u64::from(u32::MAX), 32);
        }
        if count == 0 {
            return;
        }
        self.held = (self.held << count) | (number & (u64::MAX >> (64 - count)));
        self.holds += count;
        while self.holds >= 8 {
            self.holds -= 8;
            self.bytes.push((self.held >> self.holds) as u8);
        }
    }
    fn ones(&mut self, count: u32) {
        self.put(u64::MAX, count);
    }
    fn byte(&mut self, byte: u8) {
        self.put(u64::from(byte), 8);
    }
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }
    fn done(mut self) -> Vec<u8> {
        if self.holds > 0 {
            self.put(0, 8 - self.holds);
        }
        self.bytes
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    holds: u32,
}

impl<'a> Reader<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, held: 0, holds: 0 }
    }
    fn take(&mut self, count: u32) -> Result<u64, Damaged> {
        if count > 32 {
            let high = self.take(count - 32)?;
            return Ok((high << 32) | self.take(32)?);
        }
        if count == 0 {
            return Ok(0);
        }
        while self.holds < count {
            let byte = *self.bytes.get(self.at).ok_or(Damaged)?;
            self.at += 1;
            self.held = (self.held << 8) | u64::from(byte);
            self.holds += 8;
        }
        self.holds -= count;
        Ok((self.held >> self.holds) & (u64::MAX >> (64 - count)))
    }
    /// How many ones stand before a zero, which is taken too, or `most` of them, after which none is.
    fn ones(&mut self, most: u32) -> Result<u32, Damaged> {
        for count in 0..most {
            if self.take(1)? == 0 {
                return Ok(count);
            }
        }
        Ok(most)
    }
    fn byte(&mut self) -> Result<u8, Damaged> {
        Ok(self.take(8)? as u8)
    }
    fn varint(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = self.varint()?;
        if count > COUNT_MAX { Err(Damaged) } else { Ok(count as usize) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples(values: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        (0..).zip(values).map(|(at, value)| Sample { at_ms: 1_700_000_000_000 + at * 10_000, value }).collect()
    }

    fn bits_of(samples: &[Sample]) -> Vec<(i64, u64)> {
        samples.iter().map(|sample| (sample.at_ms, sample.value.to_bits())).collect()
    }

    fn bytes_per_sample(values: impl IntoIterator<Item = f64>) -> f64 {
        let samples = samples(values);
        let bytes = encode(&samples);
        assert_eq!(bits_of(&decode(&bytes).unwrap()), bits_of(&samples));
        bytes.len() as f64 / samples.len() as f64
    }

    /// Whole numbers from a fixed sequence, below `below`.
    fn some(below: u32) -> impl Iterator<Item = f64> {
        let mut state = 12_345_u32;
        std::iter::from_fn(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f64::from((state >> 8) % below))
        })
    }

    #[test]
    fn what_does_not_change_costs_next_to_nothing() {
        assert!(bytes_per_sample(vec![700.0; 90]) < 0.2);
        assert!(bytes_per_sample((0..90).map(|step| 1e9 + f64::from(step) * 7_000.0)) < 0.3, "a steady counter");
    }

    #[test]
    fn what_moves_by_little_costs_little() {
        let degrees = bytes_per_sample(some(3).take(90).map(|more| 45.0 + more));
        let milliwatts = bytes_per_sample(some(8_000).take(90).map(|more| 412.5 + more / 1_000.0));
        let clocks = bytes_per_sample(some(4).take(90).map(|more| 1.98e9 + more * 15e6));
        let memory = bytes_per_sample(some(64).take(90).map(|more| (40_000.0 + more) * 1_048_576.0));
        assert!(
            degrees < 0.6 && milliwatts < 2.2 && clocks < 0.8 && memory < 1.3,
            "{degrees} {milliwatts} {clocks} {memory}"
        );
    }

    #[test]
    fn odd_values_come_back_bit_for_bit() {
        let odd = [0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, -1e-300, 0.1 + 0.2, f64::INFINITY, f64::NAN, 9e15];
        for values in [&odd[..], &odd[..1], &odd[..2], &[0.3, 0.1 + 0.2], &[1e15, 1e15 + 1.0, 0.001]] {
            let samples = samples(values.iter().copied());
            assert_eq!(bits_of(&decode(&encode(&samples)).unwrap()), bits_of(&samples), "{values:?}");
        }
        assert_eq!(decode(&encode(&[])).unwrap(), []);
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            (-100_000_i64..100_000).prop_map(|whole| whole as f64 / 1_000.0),
            (0_u32..100).prop_map(f64::from),
            any::<u64>().prop_map(f64::from_bits),
        ]
    }

    proptest! {
        #[test]
        fn law_a_chunk_gives_back_what_it_was_given(
            values in prop::collection::vec((any_value(), prop_oneof![Just(10_000_i64), any::<i64>()]), 0..200),
            start in any::<i64>(),
        ) {
            let mut at_ms = start;
            let samples: Vec<Sample> = values
                .into_iter()
                .map(|(value, step)| { at_ms = at_ms.wrapping_add(step); Sample { at_ms, value } })
                .collect();
            prop_assert_eq!(bits_of(&decode(&encode(&samples)).unwrap()), bits_of(&samples));
        }

        #[test]
        fn law_buckets_come_back(rows in prop::collection::vec((any::<i32>(), any_value(), any_value(), 1_u32..), 0..100)) {
            let buckets: Vec<Bucket> = rows
                .into_iter()
                .map(|(start, low, sum, count)| Bucket { start_ms: start.into(), min: low, max: sum, sum, count })
                .collect();
            let back = decode_buckets(&encode_buckets(&buckets)).unwrap();
            prop_assert_eq!(format!("{back:?}"), format!("{buckets:?}"));
        }

        #[test]
        fn law_damage_is_told_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
            let _ = decode_buckets(&bytes);
        }
    }
}
