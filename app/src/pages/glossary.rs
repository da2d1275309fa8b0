//! What do the field's words mean here?

use leptos::prelude::*;
use leptos_meta::Title;

/// Each word, and what is meant by it.
const WORDS: [(&str, &str); 17] = [
    ("token", "an output token, unless “prompt” or “input” stands beside it"),
    (
        "facility MW, IT MW, GPU-board MW",
        "at the utility meter; into the racks; into the boards alone. The same machine differs by more than 1.5 times between them",
    ),
    (
        "TTFT, TPOT",
        "mean time to the first token, without waiting for a place; mean time from one output token to the next, interruptions by prefill included",
    ),
    ("prefill, decode", "reading the prompt, bound by arithmetic; writing the answer token by token, bound by memory"),
    (
        "band (−47% +101%)",
        "how far the true figure may lie below and above the one shown: the errors found where the model was checked against measurements, or a wider judgement where it was not. It is no confidence level",
    ),
    ("PUE, WUE", "facility over IT energy; litres of make-up water for each kWh of IT energy"),
    (
        "provisioned, firm, drawn",
        "what racks may take; what a level can promise with its redundancy kept; what is taken",
    ),
    (
        "stranded power",
        "installed to feed racks and unusable, by cause: redundancy, rating mismatch, cooling, space, part load",
    ),
    ("CDU", "coolant distribution unit: facility water on one side, the racks’ loop on the other"),
    (
        "dry, adiabatic, tower, trim, chiller",
        "outside air; outside air wetted; evaporation; outside with chillers for the rest; chillers alone",
    ),
    ("N, N+1, 2N, 3N/2", "no unit to spare; one; a whole second side; three units for the work of two"),
    ("U, OU", "44.45 mm of height in a 19-inch rack; 48 mm in a 21-inch Open Rack"),
    ("zero U", "what stands upright beside the units: rack PDUs, bus bar, manifolds"),
    ("derated, held back", "hours in which heat or the utility contract left the fleet less power than it wanted"),
    ("demand charge", "price of the month’s highest draw"),
    ("business as usual", "the same racks at the same work in a facility of the industry’s average PUE, 1.50"),
    ("prefix cache", "prompt tokens whose reading is kept from an earlier request with the same beginning"),
];

/// The glossary.
#[component]
pub fn GlossaryPage() -> impl IntoView {
    let row = |(word, meaning): (&'static str, &'static str)| view! { <div><dt>{word}</dt><dd>{meaning}</dd></div> };
    view! {
        <Title text="Glossary"/>
        <h1>"Glossary"</h1>
        <p class="lead">"The field's words, as they are meant on these pages."</p>
        <dl class="glossary">{WORDS.map(row).collect_view()}</dl>
    }
}
