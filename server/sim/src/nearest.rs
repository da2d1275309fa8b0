//! Names that may be meant by one that is not there.

/// Most names that are offered.
const OFFERED: usize = 4;
/// Least likeness of a name that is offered: a quarter of its pairs of letters.
const ALIKE: f64 = 0.25;

/// Edits between two names, for "did you mean".
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let change = corner + usize::from(from != to);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The few names that are most like one, the likest first; none where none is like it.
///
/// Likeness is the share of pairs of neighbouring letters that both have (Dice's coefficient), so `llama-70b` is like
/// `llama-3.1-70b` though many edits apart; of names equally like, the one with fewer edits is first.
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = plain(name);
    let rank = |other: &'n str| {
        let own = plain(other);
        (other, likeness(&wanted, &own), distance(&wanted, &own))
    };
    let mut ranked: Vec<(&str, f64, usize)> = names.map(rank).filter(|(_, alike, _)| *alike >= ALIKE).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)).then(a.0.cmp(b.0)));
    ranked.truncate(OFFERED);
    ranked.into_iter().map(|(name, ..)| name).collect()
}

/// Letters and digits alone, in lower case.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |text: &str| -> Vec<[u8; 2]> { text.as_bytes().windows(2).map(|pair| [pair[0], pair[1]]).collect() };
    let (first, mut second) = (pairs(a), pairs(b));
    let all = first.len() + second.len();
    let mut both = 0;
    for pair in first {
        if let Some(at) = second.iter().position(|other| *other == pair) {
            second.swap_remove(at);
            both += 1;
        }
    }
    if all == 0 { 0.0 } else { 2.0 * f64::from(both) / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_names_come_first_and_strangers_not_at_all() {
        let gpus = ["a100-sxm-80", "h100-sxm", "h100-pcie", "h200-sxm", "b200-sxm", "l4", "mi300x"];
        assert_eq!(nearest("h20-sxm", gpus.into_iter())[0], "h200-sxm");
        assert_eq!(nearest("H-100 SMX", gpus.into_iter())[..2], ["h100-sxm", "h100-pcie"]);
        assert_eq!(nearest("abacus", gpus.into_iter()), Vec::<&str>::new());
        let models = ["llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "deepseek-r1", "deepseek-v3"];
        assert_eq!(nearest("llama-70b", models.into_iter())[0], "llama-3.1-70b");
        assert_eq!(nearest("deepseek-r2", models.into_iter())[..2], ["deepseek-r1", "deepseek-v3"]);
        assert!(nearest("", models.into_iter()).is_empty());
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("same", "same")), (3, 3, 0));
    }
}
