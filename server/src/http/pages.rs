//! Pages rendered on the server, and what they ask once they are in a browser.

use super::Reach;
use super::security::{content_security_policy, nothing_at};
use crate::error::{Refused, status};
use app::api::{ApiError, Backend, PageRefusal};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_to_stream_with_context};
use std::net::SocketAddr;
use std::sync::Arc;

/// Where the pages' questions go; `app::api` names each.
const ASK: &str = "/api/ask/";
/// Longest answer that can be an error.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// What Leptos must know: the bundle is `/pkg/millwright.js` and `/pkg/millwright_bg.wasm`.
pub fn options(address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("millwright")
        .site_root("target/site")
        .site_pkg_dir("pkg")
        .site_addr(address)
        .build()
}

/// Adds every page of the app, and every question that pages ask.
pub fn add_to(router: Router<Reach>, reach: &Reach) -> Router<Reach> {
    let options = reach.options.clone();
    let routes = generate_route_list(app::App);
    router.leptos_routes_with_context(reach, routes, context(reach), move || app::shell(options.clone()))
}

/// The page that says that there is no such page; where no page was asked for, the same in JSON.
pub async fn not_found(State(reach): State<Reach>, request: Request) -> Response {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD) && !request.uri().path().starts_with("/api/");
    if !is_page {
        return nothing_at(request.uri().path()).into_response();
    }
    let options = reach.options.clone();
    let render = render_app_to_stream_with_context(context(&reach), move || app::shell(options.clone()));
    let mut page = render(request).await;
    if page.status() == StatusCode::OK {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    page
}

/// Server functions answer every error with 500: this gives each the status that its kind has everywhere else.
pub async fn status_of_answers(request: Request, next: Next) -> Response {
    let asked = request.uri().path().starts_with(ASK);
    let response = next.run(request).await;
    if !asked || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, ERROR_BYTES_MAX).await else {
        return Refused(ApiError::Internal { reason: "The answer could not be read.".into() }).into_response();
    };
    if let Ok(error) = serde_json::from_slice::<ApiError>(&bytes) {
        let refused = Refused(error);
        head.status = status(&refused.0);
        head.headers.extend(
            refused.into_response().headers_mut().remove(header::RETRY_AFTER).map(|s| (header::RETRY_AFTER, s)),
        );
    }
    Response::from_parts(head, Body::from(bytes))
}

/// What a page finds around it: the house, and a policy that lets this page's own scripts run.
fn context(reach: &Reach) -> impl Fn() + Clone + Send + Sync + 'static {
    let backend: Arc<dyn Backend> = Arc::clone(&reach.house) as Arc<dyn Backend>;
    move || {
        provide_context(Arc::clone(&backend));
        let Some(response) = use_context::<ResponseOptions>() else { return };
        let refused = response.clone();
        provide_context(PageRefusal(Arc::new(move |error| refused.set_status(status(error)))));
        if let Some(nonce) = use_nonce() {
            response.insert_header(header::CONTENT_SECURITY_POLICY, content_security_policy(Some(&nonce)));
        }
    }
}
