//! Pages that are loaded when they are first opened: the bundle is split at the functions of this file, so that the first page
//! costs little however many there are. The server renders them like any other page.
//!
//! Each room is one split of the bundle, `split_<room>.wasm`; what rooms share and the first page does not need is in chunks
//! that `Makefile` makes beside them.

use crate::api::ApiError;
use crate::browser;
use crate::components::failure::{Extent, Failure};
use crate::components::made_up::MadeUpNote;
use crate::pages::alerts::AlertsPage;
use crate::pages::binding::BindingPage;
use crate::pages::compare::ComparePage;
use crate::pages::design::DesignPage;
use crate::pages::events::EventsPage;
use crate::pages::facility::FacilityPage;
use crate::pages::fleet::FleetPage;
use crate::pages::fleet_place::FleetPlacePage;
use crate::pages::fleet_report::FleetReportPage;
use crate::pages::models::ModelsPage;
use crate::pages::new::NewPage;
use crate::pages::optimize::OptimizePage;
use crate::pages::power::PowerPage;
use crate::pages::replay::ReplayPage;
use crate::pages::replays::ReplaysPage;
use crate::pages::report::ReportPage;
use crate::pages::run::RunPage;
use crate::pages::serving::ServingPage;
use crate::pages::sources::SourcesPage;
use crate::pages::sweep::SweepPage;
use crate::pages::sweeps::SweepsPage;
use crate::pages::workloads::WorkloadsPage;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;

/// A room: a function that the bundle is split at, which shows any page of the room, below what all of them have above them,
/// and each page as a route.
macro_rules! room {
    ($room:ident, $fetch:ident, $pages:ident $(below $above:ident)?: $($route:ident => $page:ident),+ $(,)?) => {
        enum $pages {
            $($route),+
        }

        #[wasm_split($room, wasm_split_path = leptos::wasm_split, preload($fetch), fallible)]
        fn $room(page: $pages) -> Result<AnyView, SplitLoaderError> {
            let page = match page {
                $($pages::$route => view! { <$page/> }.into_any()),+
            };
            Ok(view! { $(<$above/>)? {page} }.into_any())
        }

        $(
            #[doc = concat!("[`", stringify!($page), "`], loaded when it is opened.")]
            pub(crate) struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    $room($pages::$route).await.unwrap_or_else(|_| not_loaded())
                }

                async fn preload() {
                    #[cfg(feature = "hydrate")]
                    let _ = $fetch().await; // the view asks again, and says what failed
                }
            }
        )+
    };
}

/// A room that could not be had: the server is away, or it is another version by now. Loading the page anew mends both.
fn not_loaded() -> AnyView {
    let error = ApiError::Unreachable { reason: "the program of this page could not be loaded".into() };
    view! { <Failure error noun="this page" extent=Extent::Page retry=Callback::new(|()| browser::load_again())/> }
        .into_any()
}

room! { fleet, fetch_fleet, FleetPages below MadeUpNote:
    Fleet => FleetPage,
    FleetPlace => FleetPlacePage,
    FleetReport => FleetReportPage,
    Binding => BindingPage,
    Events => EventsPage,
    Alerts => AlertsPage,
    Facility => FacilityPage,
    Sources => SourcesPage,
}

room! { workshop, fetch_workshop, WorkshopPages:
    Design => DesignPage,
    New => NewPage,
    Compare => ComparePage,
    Report => ReportPage,
    Run => RunPage,
}

room! { serving, fetch_serving, ServingPages:
    Serving => ServingPage,
    Models => ModelsPage,
    Workloads => WorkloadsPage,
    Replays => ReplaysPage,
    Replay => ReplayPage,
}

room! { optimize, fetch_optimize, OptimizePages:
    Optimize => OptimizePage,
    Power => PowerPage,
    Sweeps => SweepsPage,
    Sweep => SweepPage,
}
