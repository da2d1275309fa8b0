//! What may be handed to someone else: names, addresses, users and secrets become pseudonyms, the same one each time.
//!
//! Of the fleet file nothing passes that is not known to be harmless: numbers, switches, the keys that we know, and a few
//! words that are ours. All the rest is remembered, and taken out of every other text as well.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;
use toml::Value;
use url::Url;

/// Keys whose texts are words of ours, which say nothing of anyone.
const HARMLESS: [&str; 2] = ["again", "mode"];
/// Shorter words than this are taken out only where they stand alone: `A1` is a rack, and a part of many words.
const ALONE_BELOW: usize = 6;
/// Keys that we know; another may be a name that someone gave.
static KEYS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    "scrape query exchange nvml kernel_log replay retention forward webhook alert_rules external_url \
     name url every_s timeout_s labels bearer_token_file ca_file samples_max body_max_mib keep_all \
     host rack hall tenant selectors broker auth authority client_id utility_meters username user password \
     password_file token_file certificate key file speed again readings_days s10_days min1_days min15_days h1_days \
     queue_max_mib read_url every_ms patience_ms library mode secret_file allow"
        .split_whitespace()
        .collect()
});
/// Words that many names contain and that tell nothing: taken out, they would make every text unreadable.
const COMMON: [&str; 12] =
    ["http", "https", "mqtt", "mqtts", "metrics", "localhost", "127.0.0.1", "api", "v1", "write", "file", "none"];

/// Words that are taken out, each with what stands in its place.
#[derive(Debug, Default)]
pub struct Redactor {
    words: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u32>,
}

impl Redactor {
    /// The pseudonym of a word.
    fn pseudonym(&mut self, class: &'static str, word: &str) -> String {
        let key = word.to_lowercase();
        if let Some(known) = self.words.get(&key) {
            return known.clone();
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let made = format!("{class}-{count}");
        self.words.insert(key, made.clone());
        made
    }

    /// Takes a word out of all that is redacted from now on.
    pub fn forget(&mut self, class: &'static str, word: &str) {
        let word = word.trim();
        if !word.is_empty() && !COMMON.contains(&word.to_lowercase().as_str()) {
            self.pseudonym(class, word);
        }
    }

    /// The fleet file, with nothing in it that is not known to be harmless.
    pub fn config(&mut self, value: &Value) -> Value {
        self.value("", value)
    }

    fn value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if HARMLESS.contains(&key) => Value::String(text.clone()),
            Value::String(text) => Value::String(self.text_of(key, text)),
            Value::Array(all) => Value::Array(all.iter().map(|one| self.value(key, one)).collect()),
            Value::Table(table) => {
                let member = |(name, value): (&String, &Value)| {
                    let known = KEYS.contains(name.as_str());
                    let shown = if known { name.clone() } else { self.pseudonym("key", name) };
                    (shown, self.value(name, value))
                };
                Value::Table(table.iter().map(member).collect())
            }
            Value::Datetime(_) => Value::String("a time".into()),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => value.clone(),
        }
    }

    fn text_of(&mut self, key: &str, text: &str) -> String {
        if let Ok(url) = Url::parse(text)
            && url.has_host()
        {
            return self.url(text, &url);
        }
        let class = match key {
            "host" => "host",
            "rack" => "rack",
            "hall" => "hall",
            "tenant" => "tenant",
            "name" => "name",
            "user" | "username" | "client_id" => "user",
            _ if key.contains("file") || key == "library" || text.starts_with('/') => "file",
            _ => "text",
        };
        if COMMON.contains(&text.to_lowercase().as_str()) { text.to_owned() } else { self.pseudonym(class, text) }
    }

    /// An address: how it is spoken to and the port are kept; host, user, path and question are not.
    fn url(&mut self, text: &str, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_common = COMMON.contains(&host.as_str());
        let shown = if is_common { host.clone() } else { self.pseudonym("host", &host) };
        if let Some((first, _)) = host.split_once('.').filter(|_| host.parse::<IpAddr>().is_err()) {
            self.forget("host", first);
        }
        self.forget("address", text);
        self.forget("user", url.username());
        self.forget("secret", url.password().unwrap_or_default());
        let question = url.query().unwrap_or_default();
        self.forget("secret", question);
        // Chats and pagers put secrets into paths.
        let mut path = String::new();
        for part in url.path().split('/').filter(|part| !part.is_empty()) {
            let part = if COMMON.contains(&part) { part.to_owned() } else { self.pseudonym("path", part) };
            path = format!("{path}/{part}");
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{shown}{port}{path}", url.scheme())
    }

    /// A text without any of the words, and without addresses of machines.
    pub fn text(&mut self, text: &str) -> String {
        let mut words: Vec<(String, String)> =
            self.words.iter().map(|(word, shown)| (word.clone(), shown.clone())).collect();
        // The longest first: a host's name before the first part of it.
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let mut text = text.to_owned();
        for (word, shown) in &words {
            text = replaced(&text, word, shown);
        }
        self.without_addresses(&text)
    }

    fn without_addresses(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(is_of_address) {
            out.push_str(&rest[..at]);
            let end = rest[at..].find(|letter| !is_of_address(letter)).map_or(rest.len(), |len| at + len);
            out.push_str(&self.address(&rest[at..end]));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    /// A run of letters that may be an address, with a port or without, with a full stop after it or without.
    fn address(&mut self, run: &str) -> String {
        let bare = run.trim_end_matches(['.', ':']);
        let after = &run[bare.len()..];
        let (host, port) = match bare.rsplit_once(':') {
            Some((host, port)) if host.contains('.') && !host.contains(':') => (host, format!(":{port}")),
            _ => (bare, String::new()),
        };
        match host.parse::<IpAddr>() {
            Ok(address) if !address.is_loopback() && !address.is_unspecified() => {
                format!("{}{port}{after}", self.pseudonym("host", host))
            }
            Ok(_) | Err(_) => run.to_owned(),
        }
    }

    /// A JSON value without any of the words.
    pub fn json(&mut self, value: &serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::String(text) => self.text(text).into(),
            serde_json::Value::Array(all) => all.iter().map(|one| self.json(one)).collect(),
            serde_json::Value::Object(members) => {
                let all = members.iter().map(|(name, value)| (name.clone(), self.json(value)));
                serde_json::Value::Object(all.collect())
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.clone(),
        }
    }
}

fn is_of_address(letter: char) -> bool {
    letter.is_ascii_hexdigit() || matches!(letter, '.' | ':')
}

/// The text with every occurrence of a word replaced, in small letters or large; of a short one, where it stands alone.
fn replaced(text: &str, word: &str, shown: &str) -> String {
    let small = text.to_lowercase();
    // Where small letters have another length, places in one text are none in the other: then only the word as it is.
    let searched = if small.len() == text.len() { small.as_str() } else { text };
    let stands_alone = |at: usize| {
        let letter = |found: Option<char>| found.is_some_and(char::is_alphanumeric);
        !letter(text[..at].chars().next_back()) && !letter(text[at + word.len()..].chars().next())
    };
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in searched.match_indices(word) {
        let fits = text.is_char_boundary(at) && text.is_char_boundary(at + word.len());
        if at >= from && fits && (word.chars().count() >= ALONE_BELOW || stands_alone(at)) {
            out.push_str(&text[from..at]);
            out.push_str(shown);
            from = at + word.len();
        }
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_that_is_not_known_to_be_harmless() {
        let text = "[[scrape]]\nname = \"north-wing\"\nurl = \"https://alice:hunter2@gpu-7.corp.example:9400/metrics?key=s3cr3t\"\n\
                    every_s = 5\nkeep_all = true\nlabels = { rack = \"B7\", \"secret-key\" = \"acme\" }\n";
        let mut redactor = Redactor::default();
        let config = redactor.config(&text.parse::<toml::Table>().map(Value::Table).unwrap());
        let shown = toml::to_string(&config).unwrap();
        for kept in ["scrape", "every_s = 5", "keep_all = true", "https://host-1:9400/metrics"] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
        let elsewhere = "GET https://alice:hunter2@gpu-7.corp.example:9400/metrics?key=s3cr3t of B7 (not B70): \
                         GPU-7 at 10.1.2.3:9400 and fd00::7, owner ACME, north-wing; 127.0.0.1:8080, 12:30:45, 0.1.0";
        let said = redactor.text(elsewhere);
        for secret in
            ["alice", "hunter2", "gpu-7", "corp", "s3cr3t", "acme", "north-wing", "secret-key", "10.1.2.3", "fd00::7"]
        {
            assert!(!shown.contains(secret) && !said.to_lowercase().contains(secret), "{secret}: {shown}\n{said}");
        }
        for kept in ["(not B70)", "127.0.0.1:8080", "12:30:45", "0.1.0"] {
            assert!(said.contains(kept), "{kept}: {said}");
        }
    }

    #[test]
    fn the_same_word_has_the_same_pseudonym() {
        let mut redactor = Redactor::default();
        redactor.forget("host", "node-17");
        assert_eq!(redactor.text("node-17 Node-17 node-18"), "host-1 host-1 node-18");
        assert_eq!(redactor.text("10.0.0.1 10.0.0.2 10.0.0.1."), "host-2 host-3 host-2.");
    }
}
