//! Cards and signatures that do not go with what other cards of the same organization say of its keys: nothing is recorded of
//! them that an audit would call wrong.

use super::*;
use crate::agree::PinIssuer;
use crate::config::Home;
use crate::partnership::{read_card, write_card};
use ambit_ledger::{Card, Certificate, KeyPurpose, Member, SecretKey, SignedCard};

impl Scene {
    fn home(&self, name: &str) -> Home {
        Home::open(&place(self.folder.path(), name)).unwrap()
    }

    /// The supplier's root certifies a key for a purpose, up to an instant.
    fn certified(&self, purpose: KeyPurpose, key: &SecretKey, until: Option<Time>) -> ByteBuf {
        let root = self.home("supplier").key(KeyPurpose::Root).unwrap();
        let certificate = Certificate {
            subject: self.supplier.settings().organization.id.clone(),
            root: root.public(),
            purpose,
            key: key.public(),
            not_before: self.now,
            not_after: until,
        };
        ByteBuf::from(certificate.sign(&root, key))
    }

    /// A card of the supplier with these certificates in the place of those for the same purpose, and beside the others.
    fn card_with(&self, certificates: &[(KeyPurpose, ByteBuf)]) -> String {
        let member = read_card(&self.supplier.card(self.now).unwrap()).unwrap();
        let mut card = Card::clone(&member.card);
        card.certificates.retain(|certificate| {
            let purpose = Certificate::read(certificate).unwrap().purpose;
            certificates
                .iter()
                .all(|(replaced, _)| *replaced != purpose)
        });
        let added = certificates
            .iter()
            .map(|(_, certificate)| certificate.clone());
        card.certificates.extend(added);
        let card = SignedCard::sign(card, &self.supplier.keys().statement);
        write_card(&Member::of(card))
    }

    fn pin(&self, card: String) -> Result<(), Failure> {
        let root = self.supplier.root_fingerprint();
        let pinned = self.customer.pin_issuer(PinIssuer { card, root }, self.now);
        pinned.map(drop).map_err(Failure::from)
    }
}

/// A key of its own.
fn another() -> SecretKey {
    SecretKey::from_seed(&[0x3c; 32])
}

#[test]
fn no_key_is_for_two_purposes_whatever_card_says_so() {
    let scene = Scene::new();
    let witness = scene.home("supplier").key(KeyPurpose::Witness).unwrap();
    let two = scene.card_with(&[
        (
            KeyPurpose::Witness,
            scene.certified(KeyPurpose::Witness, &another(), None),
        ),
        (
            KeyPurpose::Person,
            scene.certified(KeyPurpose::Person, &witness, None),
        ),
    ]);
    // As long as nothing else is known of it, the card is good.
    scene.declare("first", scene.now.plus_days(30), "");
    let before = scene.customer.store().size();
    let words = "for another purpose than a card of it that is known here";
    let error = scene.pin(two.clone()).unwrap_err();
    assert_eq!(error.kind, FailureKind::Verification);
    assert!(error.message.contains(words), "{}", error.message);
    let declared = scene.declare_with("second", scene.now.plus_days(30), "", two);
    let (_, message) = kind(declared.unwrap_err());
    assert!(message.contains(words), "{message}");
    unchanged(&scene.customer, before);
    Scene::audit(&scene.customer, &[&scene.customer, &scene.supplier]);
}

#[test]
fn a_root_key_is_certified_for_nothing() {
    let scene = Scene::new();
    let root = scene.home("supplier").key(KeyPurpose::Root).unwrap();
    let own = scene.certified(KeyPurpose::Person, &root, None);
    let error = scene
        .pin(scene.card_with(&[(KeyPurpose::Person, own)]))
        .unwrap_err();
    assert!(
        error.message.contains("signs nothing but certificates"),
        "{}",
        error.message
    );
    Scene::audit(&scene.customer, &[&scene.customer]);
}

#[test]
fn nothing_is_taken_by_a_key_that_another_card_ended() {
    for purpose in [KeyPurpose::Agreement, KeyPurpose::Statement] {
        let scene = Scene::new();
        let file = scene.declare("ended", scene.now.plus_days(30), "").file;
        let later = scene.now.plus_seconds(60);
        let accepted = scene.accept(&file, later).unwrap().file;
        let key = scene.home("supplier").key(purpose).unwrap();
        let until = scene.now.plus_seconds(30);
        let ended = scene.certified(purpose, &key, Some(until));
        scene.pin(scene.card_with(&[(purpose, ended)])).unwrap();
        let before = scene.customer.store().size();
        if purpose == KeyPurpose::Agreement {
            let roots = root(&scene.supplier);
            let taken = scene.customer.accept(&accepted, &roots, later);
            let (kind, message) = kind(taken.unwrap_err());
            assert_eq!(kind, FailureKind::Verification, "{message}");
            assert!(message.contains("was not good at"), "{message}");
        }
        // Nor is another agreement made with a card that such a key signed.
        let card = scene.supplier.card(later).unwrap();
        let mut scene = scene;
        scene.now = later;
        let declared = scene.declare_with("after", scene.now.plus_days(30), "", card);
        if purpose == KeyPurpose::Statement {
            let (_, message) = kind(declared.unwrap_err());
            assert!(
                message.contains("is not signed with its own key"),
                "{message}"
            );
            assert_eq!(scene.customer.store().size(), before);
        }
        Scene::audit(&scene.customer, &[&scene.customer, &scene.supplier]);
    }
}

#[test]
fn no_decline_is_taken_by_a_key_that_another_card_ended() {
    let scene = Scene::new();
    let file = scene.declare("ended", scene.now.plus_days(30), "").file;
    let roots = root(&scene.customer);
    let later = scene.now.plus_seconds(60);
    let declined = decline(&scene.supplier, &file, &roots, later).unwrap().file;
    let key = scene.home("supplier").key(KeyPurpose::Agreement).unwrap();
    let until = scene.now.plus_seconds(30);
    let ended = scene.certified(KeyPurpose::Agreement, &key, Some(until));
    scene
        .pin(scene.card_with(&[(KeyPurpose::Agreement, ended)]))
        .unwrap();
    let before = scene.customer.store().size();
    let taken = scene
        .customer
        .accept(&declined, &root(&scene.supplier), later);
    assert!(taken.is_err());
    assert_eq!(scene.customer.store().size(), before);
    Scene::audit(&scene.customer, &[&scene.customer, &scene.supplier]);
}
