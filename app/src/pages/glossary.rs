//! What do the field's words mean here?

use crate::paths;
use leptos::prelude::*;
use leptos_meta::Title;

/// Each word, and what is meant by it.
const WORDS: [(&str, &str); 34] = [
    ("token", "an output token, unless “prompt” or “input” stands beside it"),
    (
        "facility MW, IT MW, GPU-board MW",
        "at the utility meter; into the racks; into the boards alone. The same machine differs by more than 1.5 times between them",
    ),
    (
        "TTFT, TPOT",
        "time to the first token, queueing included where requests are replayed or follow one another; (last token − first token) / (output tokens − 1), prompts computed in between included",
    ),
    ("prefill, decode", "reading the prompt, bound by arithmetic; writing the answer token by token, bound by memory"),
    (
        "band (−47% +101%)",
        "how far the true figure may lie below and above the one shown. Of serving, 90% of measured points lie within it, as left-out GPUs and models show where one was not measured",
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
    (
        "goodput",
        "requests a second that finished within both targets, of TTFT and of TPOT; what finished late is not counted",
    ),
    (
        "KV cache, KV block",
        "what a GPU keeps of every token of a request while it answers, so that it need not be read again: the memory that limits how many requests run at once. It is given out in blocks of 16 tokens",
    ),
    ("preemption", "a request that has begun makes way for others for want of KV memory, and is computed anew later"),
    (
        "replica",
        "one copy of a model on one or more GPUs, which answers many requests at once; a router says which replica a request goes to",
    ),
    ("prefix cache", "prompt tokens whose reading is kept from an earlier request with the same beginning"),
    (
        "XID",
        "an error that NVIDIA’s driver reports of a GPU, by number, in the host’s kernel log; the vendor’s catalog says what each means and calls for",
    ),
    ("SXID", "the same of an NVSwitch, which joins the GPUs of a rack; a fatal one takes their links down with it"),
    (
        "burst",
        "errors of one node that belong together: one fault often makes many, so they are one until three minutes pass without another",
    ),
    (
        "sticky error",
        "an XID that comes again and again until the GPU is reset (74, 79, 95, 109, 119); within three hours of the first, the rest are left out",
    ),
    (
        "ECC",
        "error-correcting code: a GPU’s memory finds wrong bits by it. One bit is corrected; two are not, and the work that used them is lost",
    ),
    (
        "row remapping",
        "a row of memory that went wrong is replaced by a spare one at the next reset of the GPU; one that waits for it is “pending”",
    ),
    ("NVLink", "the fast link between GPUs, and from GPUs to the NVSwitch; work spread over GPUs stops where it fails"),
    (
        "MIG",
        "multi-instance GPU: one GPU cut into up to seven that work apart; some values are then read of the whole alone",
    ),
    ("BMS", "building management system: what runs and watches the building’s power and cooling"),
    (
        "DSX Exchange",
        "an agreed way in which building, grid and IT tell each other their signals over MQTT: who owns which, and when they are old",
    ),
    ("heartbeat", "a counter that an integration moves while it lives; where it stands still, its values are old"),
    (
        "telemetry source",
        "anything live figures are read from: a page of metrics, a store, a driver, a kernel log, the building’s bus",
    ),
    ("silence", "a time for which nobody is told of certain alerts; it always has an end"),
];

/// The glossary.
#[component]
pub fn GlossaryPage() -> impl IntoView {
    let row = |(word, meaning): (&'static str, &'static str)| view! { <div id=paths::glossary_anchor(word)><dt>{word}</dt><dd>{meaning}</dd></div> };
    view! {
        <Title text="Glossary"/>
        <h1>"Glossary"</h1>
        <p class="lead">"The field's words, as they are meant on these pages."</p>
        <dl class="glossary">{WORDS.map(row).collect_view()}</dl>
    }
}
