//! Designs over a store in memory.

use super::*;
use crate::db::open_in_memory;

fn new(toml: &str) -> NewText<'_> {
    NewText { name: "A hall", toml, at_ms: 1_000, ..NewText::default() }
}

fn id(text: &str) -> DesignId {
    text.parse().unwrap()
}

async fn ids(db: &Db, shelf: Shelf) -> Vec<String> {
    list(db, shelf).await.unwrap().into_iter().map(|design| design.id.to_string()).collect()
}

#[tokio::test]
async fn the_text_is_kept_word_for_word() {
    let db = open_in_memory().await.unwrap();
    let text = "# a comment\r\nname = \"A hall — 45 °C\"\n\n";
    let hall = create(&db, &id("hall"), new(text), None).await.unwrap();
    let kept = newest(&db, &hall).await.unwrap();
    assert_eq!((kept.toml.as_str(), kept.version.version, kept.origin), (text, 1, Origin::Own));
    assert_eq!(kept.version.text_sha256, text_sha256(text));
    assert_eq!(text_sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[tokio::test]
async fn a_taken_name_gets_the_first_free_number() {
    let db = open_in_memory().await.unwrap();
    let mut made = Vec::new();
    for slug in ["hall", "hall", "hall-3", "hall", "hall-2"] {
        made.push(create(&db, &id(slug), new(""), None).await.unwrap().to_string());
    }
    assert_eq!(made, ["hall", "hall-2", "hall-3", "hall-4", "hall-2-2"]);
}

#[tokio::test]
async fn a_reference_design_gets_a_version_only_when_its_text_changes() {
    let db = open_in_memory().await.unwrap();
    let pod = id("superpod");
    assert_eq!(upsert_reference(&db, &pod, new("a = 1"), 0).await.unwrap(), 1);
    assert_eq!(upsert_reference(&db, &pod, new("a = 1"), 0).await.unwrap(), 1);
    assert_eq!(upsert_reference(&db, &pod, new("a = 2"), 0).await.unwrap(), 2);
    assert_eq!(version(&db, &pod, 1).await.unwrap().toml, "a = 1");
    assert_eq!(newest(&db, &pod).await.unwrap().toml, "a = 2");
    assert_eq!(ids(&db, Shelf::InUse).await.len(), 1);
}

#[tokio::test]
async fn a_reference_design_is_not_written_over_and_not_put_away() {
    let db = open_in_memory().await.unwrap();
    let pod = id("superpod");
    upsert_reference(&db, &pod, new("a = 1"), 0).await.unwrap();
    assert!(matches!(insert_version(&db, &pod, new("a = 2"), 1).await, Err(Error::Reference { .. })));
    assert!(matches!(set_shelf(&db, &pod, Shelf::Archived, 5).await, Err(Error::Reference { .. })));
    assert_eq!(newest(&db, &pod).await.unwrap().toml, "a = 1");
}

#[tokio::test]
async fn a_change_to_an_old_version_is_refused() {
    let db = open_in_memory().await.unwrap();
    let hall = create(&db, &id("hall"), new("a = 1"), None).await.unwrap();
    assert_eq!(insert_version(&db, &hall, new("a = 2"), 1).await.unwrap().version, 2);
    let late = insert_version(&db, &hall, new("a = 3"), 1).await;
    assert!(matches!(late, Err(Error::DesignChanged { based_on: 1, newest: 2, .. })));
    for never in [0, 3] {
        let odd = insert_version(&db, &hall, new("a = 3"), never).await;
        assert!(matches!(odd, Err(Error::NoVersion { version, .. }) if version == never));
    }
    assert_eq!(insert_version(&db, &hall, new("a = 2"), 1).await.unwrap().version, 2, "the same text is no conflict");
}

#[tokio::test]
async fn versions_bear_names_and_the_newest_can_be_named_later() {
    let db = open_in_memory().await.unwrap();
    let hall = create(&db, &id("hall"), new("a = 1"), None).await.unwrap();
    let named = NewText { label: "tender", message: "as sent out", at_ms: 2_000, ..new("a = 2") };
    let saved = insert_version(&db, &hall, named, 1).await.unwrap();
    assert_eq!((saved.label.as_str(), saved.message.as_str(), saved.created_ms), ("tender", "as sent out", 2_000));
    let renamed = insert_version(&db, &hall, NewText { label: "tender, final", ..new("a = 2") }, 2).await.unwrap();
    assert_eq!((renamed.version, renamed.label.as_str()), (2, "tender, final"));
    assert_eq!((renamed.message.as_str(), renamed.created_ms), ("as sent out", 2_000), "what was not said stays");
    let all: Vec<u32> = versions(&db, &hall).await.unwrap().iter().map(|version| version.version).collect();
    assert_eq!(all, [2, 1]);
}

#[tokio::test]
async fn a_branch_remembers_what_it_began_as() {
    let db = open_in_memory().await.unwrap();
    let hall = create(&db, &id("hall"), new("a = 1"), None).await.unwrap();
    let from = BranchPoint { design: hall.clone(), version: 1 };
    let branch = create(&db, &id("branch"), new("a = 1"), Some(&from)).await.unwrap();
    assert_eq!(newest(&db, &branch).await.unwrap().branched_from, Some(from));
    let nothing = BranchPoint { design: hall, version: 2 };
    let refused = create(&db, &id("other"), new("a = 1"), Some(&nothing)).await;
    assert!(matches!(refused, Err(Error::NoVersion { version: 2, .. })));
    assert_eq!(ids(&db, Shelf::InUse).await, ["branch", "hall"], "a refused branch leaves nothing behind");
}

#[tokio::test]
async fn what_is_put_away_is_kept_as_it_is_and_comes_back() {
    let db = open_in_memory().await.unwrap();
    let hall = create(&db, &id("hall"), new("a = 1"), None).await.unwrap();
    set_shelf(&db, &hall, Shelf::Archived, 5_000).await.unwrap();
    set_shelf(&db, &hall, Shelf::Archived, 6_000).await.unwrap();
    assert_eq!(newest(&db, &hall).await.unwrap().archived_ms, Some(5_000));
    assert!(ids(&db, Shelf::InUse).await.is_empty());
    assert_eq!(ids(&db, Shelf::Archived).await, ["hall"]);
    assert!(matches!(insert_version(&db, &hall, new("a = 2"), 1).await, Err(Error::Archived { .. })));
    set_shelf(&db, &hall, Shelf::InUse, 7_000).await.unwrap();
    assert_eq!(ids(&db, Shelf::InUse).await, ["hall"]);
    assert_eq!(insert_version(&db, &hall, new("a = 2"), 1).await.unwrap().version, 2);
}

#[tokio::test]
async fn reference_designs_come_first_in_their_own_order() {
    let db = open_in_memory().await.unwrap();
    create(&db, &id("z-own"), new(""), None).await.unwrap();
    upsert_reference(&db, &id("a-ref"), new(""), 1).await.unwrap();
    upsert_reference(&db, &id("b-ref"), new(""), 0).await.unwrap();
    assert_eq!(ids(&db, Shelf::InUse).await, ["b-ref", "a-ref", "z-own"]);
}

#[tokio::test]
async fn pages_of_a_list_are_the_list() {
    let db = open_in_memory().await.unwrap();
    upsert_reference(&db, &id("ref"), new(""), 0).await.unwrap();
    for (slug, name) in [("d", "A"), ("c", "A"), ("b", "B"), ("a", "C")] {
        create(&db, &id(slug), NewText { name, ..new("") }, None).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = page(&db, Shelf::InUse, after.as_ref(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|design| design.id.to_string()));
    }
    assert_eq!(seen, ["ref", "c", "d", "b", "a"]);
    assert_eq!(seen, ids(&db, Shelf::InUse).await);
    assert!(matches!(page(&db, Shelf::InUse, Some(&id("nowhere")), 2).await, Err(Error::NoDesign { .. })));
}

#[tokio::test]
async fn a_design_that_is_not_there_is_not_found() {
    let db = open_in_memory().await.unwrap();
    let nowhere = id("nowhere");
    assert!(matches!(newest(&db, &nowhere).await, Err(Error::NoDesign { .. })));
    assert!(matches!(version(&db, &nowhere, 1).await, Err(Error::NoDesign { .. })));
    assert!(matches!(versions(&db, &nowhere).await, Err(Error::NoDesign { .. })));
    assert!(matches!(insert_version(&db, &nowhere, new(""), 1).await, Err(Error::NoDesign { .. })));
    assert!(matches!(set_shelf(&db, &nowhere, Shelf::Archived, 1).await, Err(Error::NoDesign { .. })));
    let hall = create(&db, &id("hall"), new("a = 1"), None).await.unwrap();
    assert!(matches!(version(&db, &hall, 2).await, Err(Error::NoVersion { .. })));
}
