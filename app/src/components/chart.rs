//! A picture with its finding above it, what it says under the pointer, its figures one key away, and both as files.

use crate::browser;
use leptos::html::Div;
use leptos::prelude::*;

/// What a picture says at evenly spaced places across it.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// Share of the width at which the first place stands.
    pub from: f64,
    /// Share of the width at which the last one stands.
    pub to: f64,
    /// In words, from left to right.
    pub words: Vec<String>,
}

impl Readings {
    /// The place nearest to a share of the width: its own share, and its words.
    fn at(&self, share: f64) -> Option<(f64, &str)> {
        let last = self.words.len().checked_sub(1)?;
        let span = (self.to - self.from).max(1e-9);
        let index = (((share - self.from) / span).clamp(0.0, 1.0) * last as f64).round() as usize;
        let stands = self.from + span * index as f64 / last.max(1) as f64;
        Some((stands, self.words.get(index)?))
    }
}

/// A picture, entitled with what it shows, and the same as a table.
#[component]
pub fn Chart(
    /// The finding, as a sentence.
    title: String,
    /// The picture as SVG text.
    svg: String,
    /// The same picture for a narrow screen, where the words of a wide one would be too small to read.
    #[prop(optional, into)]
    narrow: Option<String>,
    /// What it says under the pointer.
    #[prop(optional)]
    readings: Readings,
    /// The figures as a table.
    children: Children,
) -> impl IntoView {
    let frame = NodeRef::<Div>::new();
    let seen = RwSignal::new(None::<(f64, String)>);
    let readable = !readings.words.is_empty();
    let moved = move |event: leptos::ev::PointerEvent| {
        let Some(element) = frame.get_untracked().and_then(|frame| frame.first_element_child()) else { return };
        let (share, _) = browser::share_within(&event, &element);
        seen.set(readings.at(share).map(|(stands, words)| (stands, words.to_owned())));
    };
    // In thousandths of the width, so that no number need be formatted.
    let hair =
        move || seen.get().map(|(stands, _)| view! { <line x1=stands * 1000.0 x2=stands * 1000.0 y1="0" y2="100"/> });
    let (file, name) = (svg.clone(), file_name(&title));
    let wide = narrow.is_some().then_some("drawn-wide");
    let narrow = narrow.map(|svg| view! { <div class="drawn-narrow" inner_html=svg></div> });
    view! {
        <figure class="picture">
            <figcaption>{title.clone()} "."</figcaption>
            <div class="scroll" tabindex="0" role="region" aria-label=title on:pointermove=moved on:pointerleave=move |_| seen.set(None)>
                <div class="sheet" node_ref=frame>
                    <div class=wide inner_html=svg></div>
                    {narrow}
                    <svg class="hair" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">{hair}</svg>
                </div>
            </div>
            {readable.then(|| view! { <p class="reading" aria-hidden="true">{move || seen.get().map_or_else(|| "\u{a0}".to_owned(), |(_, words)| words)}</p> })}
            <details>
                <summary>"Figures as a table"</summary>
                <div class="scroll">{children()}</div>
                <p class="actions"><button on:click=move |_| browser::download(&format!("{name}.svg"), &standing_alone(&file), "image/svg+xml")>"Download the picture (SVG)"</button></p>
            </details>
        </figure>
    }
}

/// A name of a file from the first words of a finding.
pub(crate) fn file_name(title: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(6)
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// The picture with the colours of light paper in the place of the page's own, so that it can stand anywhere.
pub(crate) fn standing_alone(svg: &str) -> String {
    const COLOURS: [(&str, &str); 12] = [
        ("--power", "steelblue"),
        ("--heat", "chocolate"),
        ("--tokens", "teal"),
        ("--loss", "slategray"),
        ("--text-soft", "dimgray"),
        ("--text", "black"),
        ("--line", "gainsboro"),
        ("--error", "firebrick"),
        ("--warning", "darkgoldenrod"),
        ("--note", "royalblue"),
        ("--money", "goldenrod"),
        ("--carbon", "slateblue"),
    ];
    const SHADES: [&str; 9] =
        ["midnightblue", "darkslateblue", "dimgray", "slategray", "gray", "darkgray", "tan", "darkkhaki", "khaki"];
    let plain =
        COLOURS.iter().fold(svg.to_owned(), |text, (token, colour)| text.replace(&format!("var({token})"), colour));
    let plain =
        SHADES.iter().enumerate().fold(plain, |text, (at, colour)| text.replace(&format!("var(--shade-{at})"), colour));
    plain.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_place_is_read() {
        let readings = Readings { from: 0.1, to: 0.9, words: vec!["a".into(), "b".into(), "c".into()] };
        assert_eq!(readings.at(0.0), Some((0.1, "a")));
        assert_eq!(readings.at(0.52).map(|(_, words)| words), Some("b"));
        assert_eq!(readings.at(2.0).map(|(_, words)| words), Some("c"));
        assert_eq!(Readings::default().at(0.5), None);
    }

    #[test]
    fn a_file_has_a_plain_name_and_plain_colours() {
        assert_eq!(file_name("August takes the most energy, 1.11 GWh, 11 %"), "august-takes-the-most-energy-1");
        let alone = standing_alone(
            "<svg class=\"chart\"><path fill=\"var(--shade-3)\"/><path fill=\"var(--text-soft)\"/></svg>",
        );
        assert!(alone.contains("xmlns") && !alone.contains("var("), "{alone}");
    }
}
