//! A page in Prometheus's text format 0.0.4: families of samples, escaped and bounded.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::metric::Kind;
use std::fmt::Write as _;

/// The format, as Prometheus calls it.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Most bytes of a page: what we ourselves would read of another's.
pub const BYTES_MAX: usize = 16 << 20;

/// The page so far. A family begins with what it is; its samples follow.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Begins a family whose values go up and down.
    pub fn gauge(&mut self, name: &str, help: &str) {
        self.family(name, Kind::Gauge, help);
    }
    /// Begins a family whose values only grow.
    pub fn counter(&mut self, name: &str, help: &str) {
        self.family(name, Kind::Counter, help);
    }
    /// Begins a family.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.text, "# HELP {name} {help}.\n# TYPE {name} {kind}"); // writing to a text can't fail
    }
    /// A family of one value without labels.
    pub fn one_gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauge(name, help);
        self.value(name, &[], value);
    }
    /// A value. Labels without a value are left out: they mean nothing.
    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        let mut before = '{';
        for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = write!(self.text, "{before}{name}=\"");
            self.escape(value);
            self.text.push('"');
            before = ',';
        }
        self.text.push_str(if before == ',' { "} " } else { " " });
        let _ = if value.is_infinite() {
            writeln!(self.text, "{}Inf", if value > 0.0 { '+' } else { '-' })
        } else {
            writeln!(self.text, "{value}")
        };
    }

    fn escape(&mut self, value: &str) {
        for letter in value.chars() {
            match letter {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.text.len()
    }
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
    /// Takes back all that came after so many bytes.
    pub fn back_to(&mut self, len: usize) {
        self.text.truncate(len);
    }
    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(FORMAT))], self.text).into_response()
    }
}
