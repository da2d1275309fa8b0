//! What the fuzz targets share: where their seeds come from, and how much a parser may take.
//!
//! Never: holds a capture of its own. Seeds are the ones that the tests read, beside the few in `seeds`.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Milliseconds since 1970 at which everything is read: October 2025.
pub const NOW: i64 = 1_760_000_000_000;

/// Writes seeds into the corpus that libFuzzer was given, and its dictionary beside it. Where it was given a finding to
/// look at, it has no corpus.
pub fn start<'a>(seeds: impl IntoIterator<Item = Vec<u8>>, words: impl IntoIterator<Item = &'a str>) {
    let Some(corpus) = env::args().skip(1).map(PathBuf::from).find(|path| path.is_dir()) else { return };
    for (nth, seed) in seeds.into_iter().enumerate() {
        fs::write(corpus.join(format!("seed-{nth}")), seed).expect("the corpus can be written");
    }
    let mut dictionary = String::new();
    for word in words {
        let escaped: Vec<String> = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        dictionary.extend(["\"", &escaped.concat(), "\"\n"]);
    }
    fs::write(corpus.with_extension("dict"), dictionary).expect("the dictionary can be written");
}

/// A file of the shared data, where it is there.
pub fn data(name: &str) -> Option<Vec<u8>> {
    let folder = env::var("MILLWRIGHT_DATA")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"), PathBuf::from);
    let found = fs::read(folder.join(name)).ok();
    if found.is_none() {
        eprintln!("{name} is missing: fuzzing begins with fewer seeds");
    }
    found
}

/// What `work` gives, which may hold so many times the bytes of what it reads, and a little that is always needed.
pub fn within<T>(read: usize, times: usize, work: impl FnOnce() -> T) -> T {
    let mut done = None;
    let used = allocation_counter::measure(|| done = Some(work()));
    let most = (read * times + (256 << 10)) as u64;
    assert!(used.bytes_max <= most, "{} bytes were held to read {read}", used.bytes_max);
    done.expect("it was measured")
}
