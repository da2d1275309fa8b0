//! Jobs over a store in memory and the real simulator.

use super::*;
use model::id::DesignId;
use std::time::Duration;
use store::design::NewText;

struct Shop {
    db: Db,
    jobs: Arc<Jobs>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

async fn stocked() -> Db {
    let db = store::db::open_in_memory().await.unwrap();
    let id = design();
    let largest = catalog::designs().last().unwrap();
    let new = NewText { name: "The largest", toml: largest.text, at_ms: 1, ..NewText::default() };
    store::design::upsert_reference(&db, &id, new, 0).await.unwrap();
    db
}

async fn open(db: Db, queue_size: usize) -> Shop {
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let designs = Arc::new(Designs::new(db.clone(), Arc::new(catalog::catalog().unwrap())));
    let jobs = Jobs::spawn(db.clone(), designs, queue_size, stop.clone(), &mut tasks).await.unwrap();
    Shop { db, jobs, stop, tasks }
}

fn design() -> DesignId {
    "largest".parse().unwrap()
}

/// A minute's steps make a year long enough to be caught under way; an hour's make it short.
fn request(step_minutes: u32) -> RunRequest {
    RunRequest { step_minutes, seed: 7, ..RunRequest::of(design()) }
}

async fn until(live: &mut watch::Receiver<RunState>, wanted: impl FnMut(&RunState) -> bool) -> RunState {
    tokio::time::timeout(Duration::from_mins(2), live.wait_for(wanted)).await.unwrap().unwrap().clone()
}

#[tokio::test]
async fn a_run_ends_with_a_kept_report_that_tells_its_input() {
    let shop = open(stocked().await, 4).await;
    let mut reports = Vec::new();
    for _ in 0..2 {
        let id = shop.jobs.submit(&request(60)).await.unwrap();
        let mut live = shop.jobs.watch(&id).unwrap();
        assert_eq!(until(&mut live, RunState::is_final).await, RunState::Done);
        assert!(shop.jobs.watch(&id).is_none(), "it is with the store alone now");
        reports.push(store::run::report(&shop.db, &id).await.unwrap().unwrap());
    }
    assert_eq!(reports[0], reports[1], "the same input gives the same report");
    assert_eq!((reports[0].input_hash.len(), reports[0].seed), (64, 7));
    assert!(reports[0].tokens_output > 0.0);
}

#[tokio::test]
async fn a_run_under_way_is_cancelled_at_once() {
    let shop = open(stocked().await, 4).await;
    let id = shop.jobs.submit(&request(1)).await.unwrap();
    let mut live = shop.jobs.watch(&id).unwrap();
    let state = until(&mut live, |state| matches!(state, RunState::Running { progress, .. } if *progress > 0.0)).await;
    let RunState::Running { progress, seconds_left } = state else { panic!("{state:?}") };
    assert!(progress < 1.0 && seconds_left > 0.0);
    let began = Instant::now();
    shop.jobs.cancel(&id).await.unwrap();
    assert_eq!(*live.borrow(), RunState::Cancelled);
    let next = shop.jobs.submit(&request(60)).await.unwrap();
    until(&mut shop.jobs.watch(&next).unwrap(), |state| *state != RunState::Queued).await;
    // On a quiet machine that is a few milliseconds; on a busy one it is at least no wait for the year's end.
    let free = began.elapsed().as_secs_f64();
    assert!(free < seconds_left.max(0.25), "the worker was free after {free} s, of {seconds_left} s that were left");
    assert!(matches!(shop.jobs.cancel(&id).await, Err(ApiError::Conflict { .. })));
    assert_eq!(store::run::get(&shop.db, &id).await.unwrap().state, RunState::Cancelled);
}

#[tokio::test]
async fn a_full_queue_says_so_and_a_cancelled_run_gives_its_place_back() {
    let shop = open(stocked().await, 1).await;
    let under_way = shop.jobs.submit(&request(1)).await.unwrap();
    until(&mut shop.jobs.watch(&under_way).unwrap(), |state| *state != RunState::Queued).await;
    let waiting = shop.jobs.submit(&request(60)).await.unwrap();
    assert!(matches!(shop.jobs.submit(&request(60)).await, Err(ApiError::Busy { .. })));
    assert_eq!(store::run::list(&shop.db, None, 10).await.unwrap().len(), 2, "a refused run leaves nothing behind");
    shop.jobs.cancel(&waiting).await.unwrap();
    shop.jobs.submit(&request(60)).await.unwrap();
    shop.stop.cancel();
}

#[tokio::test]
async fn what_the_last_stop_left_is_run_again_oldest_first() {
    let db = stocked().await;
    let first = open(db.clone(), 4).await;
    let ids = [first.jobs.submit(&request(1)).await.unwrap(), first.jobs.submit(&request(60)).await.unwrap()];
    until(&mut first.jobs.watch(&ids[0]).unwrap(), |state| *state != RunState::Queued).await;
    first.stop.cancel();
    let mut tasks = first.tasks;
    while tasks.join_next().await.is_some() {}
    let second = open(db, 4).await;
    let [older, mut newer] = ids.clone().map(|id| second.jobs.watch(&id).unwrap());
    until(&mut newer, |state| *state != RunState::Queued).await;
    assert_eq!(*older.borrow(), RunState::Done);
    assert_eq!(until(&mut newer, RunState::is_final).await, RunState::Done);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_reason() {
    let shop = open(stocked().await, 4).await;
    for step_minutes in [0, 7, 61, 120] {
        assert!(matches!(shop.jobs.submit(&request(step_minutes)).await, Err(ApiError::Invalid { .. })));
    }
    let nowhere = RunRequest { design: "nowhere".parse().unwrap(), ..request(60) };
    assert!(matches!(shop.jobs.submit(&nowhere).await, Err(ApiError::NotFound { .. })));
    assert!(matches!(shop.jobs.cancel(&"nowhere".parse().unwrap()).await, Err(ApiError::NotFound { .. })));
}

#[tokio::test]
async fn the_hash_changes_with_the_input() {
    let designs = open(stocked().await, 1).await.jobs.designs.newest(&design()).await.unwrap();
    let site = designs.known.site().unwrap();
    let hash = |minutes, seed| {
        let scenario = sim::defaults::scenario(&site, Span::from_minutes(minutes), seed);
        input_hash(&site, &scenario)
    };
    assert_eq!(hash(60.0, 1), hash(60.0, 1));
    assert_ne!(hash(60.0, 1), hash(60.0, 2));
    assert_ne!(hash(60.0, 1), hash(30.0, 1));
}
