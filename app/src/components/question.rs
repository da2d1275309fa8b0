//! Questions that stand in the address: the form that makes it, and what of it could not be understood.

use crate::asked::Misread;
use leptos::prelude::*;
use leptos::web_sys::FormData;
use leptos_router::components::Form;
use std::sync::Arc;

/// The form that an address is made of; it works before the page is awake too.
#[component]
pub fn Question(
    /// The page that answers.
    #[prop(into)]
    action: String,
    /// What is asked, for those who do not see it.
    label: &'static str,
    /// The fields, and the button.
    children: Children,
) -> impl IntoView {
    // The router counts the pressed button among the fields; without a name it would leave a `&=` in the address.
    let named_only: Arc<dyn Fn(&FormData)> = Arc::new(|data: &FormData| data.delete(""));
    view! {
        <Form method="GET" action on_form_data=named_only attr:class="filter" attr:aria-label=label>{children()}</Form>
    }
}

/// What of an address could not be understood, above the form that would mend it.
#[component]
pub fn Misreadings(
    /// Each of them; nothing is shown where there are none.
    of: Vec<Misread>,
) -> impl IntoView {
    let lines = of.into_iter().map(|one| view! { <li>{one.to_string()}</li> }).collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <div class="misread" role="alert">
                <p>"Not all of the address is understood:"</p>
                <ul>{lines}</ul>
            </div>
        }
    })
}
