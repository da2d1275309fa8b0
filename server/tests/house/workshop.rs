//! The planner's workshop as pages ask for it: designs kept, changed by two at once, branched, put away, shared, checked.

use crate::common::House;
use app::api::ApiError;
use model::catalog::Catalog;
use model::id::SnapshotId;
use model::run::{DesignDetail, DesignSummary, Origin};
use model::version::{BranchPoint, DesignCheck, DesignSaved, DesignVersion, Merge};
use reqwest::StatusCode;
use serde_json::json;

const TEXT: &str = include_str!("../../catalog/designs/one-rack-gb200.toml");

async fn create(house: &House, name: &str) -> DesignSummary {
    house.answer("design-create", json!({ "new": { "name": name, "toml": TEXT } })).await
}

async fn refused(house: &House, question: &str, input: serde_json::Value) -> (StatusCode, ApiError) {
    let response = house.ask(question, input).await;
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_design_is_kept_changed_named_and_seen_again_as_it_was() {
    let house = House::open().await;
    let made = create(&house, "Our rack — 1").await;
    assert_eq!((made.id.as_str(), made.name.as_str(), made.version), ("our-rack-1", "Our rack — 1", 1));
    assert_eq!((made.origin, made.gpus), (Origin::Own, 72));
    let first: DesignDetail = house.answer("design", json!({ "id": made.id })).await;
    assert_eq!(first.toml, TEXT.replace("\"One GB200 NVL72 rack\"", "\"Our rack — 1\""));
    assert_eq!(first.design.unwrap().name, "Our rack — 1");

    let changed = first.toml.replace("tpot_s = 0.03", "tpot_s = 0.05");
    let save =
        json!({ "id": made.id, "toml": changed, "based_on_version": 1, "label": "slower", "message": "why not" });
    let saved: DesignSaved = house.answer("design-save", json!({ "save": save })).await;
    let DesignSaved::Saved { version } = saved else { panic!("{saved:?}") };
    assert_eq!((version.version, version.label.as_str()), (2, "slower"));

    let versions: Vec<DesignVersion> = house.answer("design-versions", json!({ "id": made.id })).await;
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(versions[0], version);
    let again: DesignDetail = house.answer("design-at", json!({ "id": made.id, "version": 1 })).await;
    assert_eq!((again.toml, again.text_sha256), (first.toml, versions[1].text_sha256.clone()));
    let gone = house.ask("design-at", json!({ "id": made.id, "version": 3 })).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_who_change_one_design_hear_of_each_other() {
    let house = House::open().await;
    let made = create(&house, "Shared").await;
    let base: DesignDetail = house.answer("design", json!({ "id": made.id })).await;
    let save = async |text: &str| -> DesignSaved {
        let save = json!({ "id": made.id, "toml": text, "based_on_version": 1 });
        house.answer("design-save", json!({ "save": save })).await
    };
    let theirs = base.toml.replace("tpot_s = 0.03", "tpot_s = 0.05");
    assert!(matches!(save(&theirs).await, DesignSaved::Saved { .. }));

    let yours = base.toml.replace("supply_temperature_c = 40", "supply_temperature_c = 38");
    let DesignSaved::Conflict { conflict } = save(&yours).await else { panic!("kept") };
    assert_eq!((&conflict.base, &conflict.theirs, &conflict.yours), (&base.toml, &theirs, &yours));
    assert_eq!((conflict.based_on_version, conflict.newest.version), (1, 2));
    let both = theirs.replace("supply_temperature_c = 40", "supply_temperature_c = 38");
    assert_eq!(conflict.merge, Merge::Clean { text: both });

    let against = base.toml.replace("tpot_s = 0.03", "tpot_s = 0.04");
    let DesignSaved::Conflict { conflict } = save(&against).await else { panic!("kept") };
    let Merge::Conflicts { places } = conflict.merge else { panic!("merged") };
    assert_eq!((places.len(), places[0].yours.as_str()), (1, "tpot_s = 0.04\n"));
    assert!(matches!(save(&theirs).await, DesignSaved::Saved { version } if version.version == 2), "the same is kept");
}

#[tokio::test]
async fn a_reference_design_is_branched_and_never_written_over() {
    let house = House::open().await;
    let save = json!({ "id": "one-rack-gb200", "toml": TEXT.replace("0.03", "0.04"), "based_on_version": 1 });
    let (status, error) = refused(&house, "design-save", json!({ "save": save })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(error.to_string().contains("branch it"), "{error}");
    let (status, _) = refused(&house, "design-archive", json!({ "id": "one-rack-gb200" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    let from = BranchPoint { design: "one-rack-gb200".parse().unwrap(), version: 1 };
    let new = json!({ "name": "One GB200 NVL72 rack", "toml": TEXT, "branched_from": from });
    let branch: DesignSummary = house.answer("design-create", json!({ "new": new })).await;
    assert_eq!(branch.branched_from, Some(from));
    let nowhere = json!({ "name": "B", "toml": TEXT, "branched_from": { "design": "nowhere", "version": 1 } });
    assert_eq!(house.ask("design-create", json!({ "new": nowhere })).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_put_away_leaves_the_list_and_comes_back() {
    let house = House::open().await;
    let made = create(&house, "Old").await;
    let all = house.designs().await.len();
    let () = house.answer("design-archive", json!({ "id": made.id })).await;
    assert_eq!(house.designs().await.len(), all - 1);
    let archived: Vec<DesignSummary> = house.answer("designs-archived", json!({})).await;
    assert!(archived.len() == 1 && archived[0].id == made.id && archived[0].archived_ms.is_some());
    let save = json!({ "id": made.id, "toml": TEXT, "based_on_version": 1 });
    assert_eq!(house.ask("design-save", json!({ "save": save })).await.status(), StatusCode::CONFLICT);
    let () = house.answer("design-restore", json!({ "id": made.id })).await;
    assert_eq!(house.designs().await.len(), all);
}

#[tokio::test]
async fn a_share_link_leads_to_its_text_for_good() {
    let house = House::open().await;
    let id: SnapshotId = house.answer("snapshot-save", json!({ "toml": TEXT })).await;
    assert_eq!(id.as_str(), &store::design::text_sha256(TEXT)[..20]);
    let text: String = house.answer("snapshot", json!({ "id": id })).await;
    assert_eq!(text, TEXT);
    assert_eq!(house.ask("snapshot", json!({ "id": "nowhere" })).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_text_is_checked_and_the_catalog_told() {
    let house = House::open().await;
    let checked: DesignCheck = house.answer("design-check", json!({ "toml": TEXT })).await;
    let DesignCheck::Read { design, evaluation, .. } = checked else { panic!("{checked:?}") };
    assert_eq!((design.name.as_str(), evaluation.gpus), ("One GB200 NVL72 rack", 72));
    let odd = TEXT.replace("rise_k = 10\nterminal", "rise_k = \"ten\"\nterminal");
    let checked: DesignCheck = house.answer("design-check", json!({ "toml": odd })).await;
    let DesignCheck::Unreadable { problem } = checked else { panic!("{checked:?}") };
    let line = odd.lines().position(|line| line.contains("\"ten\"")).unwrap() as u32 + 1;
    assert_eq!((problem.line, problem.field.as_deref()), (Some(line), Some("rise_k")));
    let told: Catalog = house.answer("catalog", json!({})).await;
    assert_eq!(told, catalog::catalog().unwrap());
}

#[tokio::test]
async fn texts_and_names_have_limits_that_are_said() {
    let house = House::open().await;
    let long = format!("{TEXT}# {}", "x".repeat(1 << 20));
    for (question, input) in [
        ("design-create", json!({ "new": { "name": "Long", "toml": long } })),
        ("snapshot-save", json!({ "toml": long })),
        ("design-create", json!({ "new": { "name": "", "toml": TEXT } })),
        ("design-create", json!({ "new": { "name": "x".repeat(121), "toml": TEXT } })),
        ("design-create", json!({ "new": { "name": "No design", "toml": "a = 1" } })),
    ] {
        let (status, error) = refused(&house, question, input).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{error}");
    }
    let longer = json!({ "toml": "x".repeat(3 << 20) });
    assert_eq!(house.ask("design-check", longer).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let made = create(&house, "Named").await;
    let save = json!({ "id": made.id, "toml": TEXT, "based_on_version": 1, "label": "x".repeat(121) });
    assert_eq!(refused(&house, "design-save", json!({ "save": save })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}
