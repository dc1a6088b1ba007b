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
        // Later than the one that it was made of, which it would contradict else.
        card.number = Time::from_millis(card.number.as_millis() + 1).unwrap();
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

#[test]
fn a_card_that_another_one_contradicts_is_not_taken() {
    let scene = Scene::new();
    let until = scene.now.plus_days(30);
    scene.declare("first", until, "");
    let (before, words) = (scene.customer.store().size(), "contradicts another one");
    let moved = |number: Time| {
        let member = read_card(&scene.supplier.card(scene.now).unwrap()).unwrap();
        let mut card = Card::clone(&member.card);
        (card.number, card.seat) = (number, "US".parse().unwrap());
        let card = SignedCard::sign(card, &scene.supplier.keys().statement);
        write_card(&Member::of(card))
    };
    for (number, words) in [
        (scene.now, words),
        (
            scene.now.minus_seconds(1).start_of_millis(),
            "is older than one that is known",
        ),
    ] {
        let declared = scene.declare_with("second", until, "", moved(number));
        let (_, message) = kind(declared.unwrap_err());
        assert!(message.contains(words), "{message}");
        assert!(scene.pin(moved(number)).is_err());
    }
    assert_eq!(scene.customer.store().size(), before);
    // An older one that says the same is as good as any.
    let older = scene.supplier.card(scene.now.minus_seconds(1)).unwrap();
    scene.declare_with("second", until, "", older).unwrap();
}

#[test]
fn nothing_is_declared_with_a_key_that_has_ended() {
    for purpose in [KeyPurpose::Agreement, KeyPurpose::Transport] {
        let mut scene = Scene::new();
        let key = scene.home("supplier").key(purpose).unwrap();
        let ends = scene.now.plus_seconds(30);
        let ended = scene.certified(purpose, &key, Some(ends));
        let card = scene.card_with(&[(purpose, ended)]);
        scene.now = scene.now.plus_seconds(60);
        let declared = scene.declare_with("late", scene.now.plus_days(30), "", card);
        let (kind, message) = kind(declared.unwrap_err());
        assert_eq!(kind, FailureKind::Verification, "{message}");
        let words = format!(
            "the {} key of `did:web:supplier.example` ended at",
            purpose.name()
        );
        assert!(message.contains(&words), "{message}");
    }
}

#[test]
fn a_signature_that_is_recorded_stands_whatever_becomes_of_its_key() {
    let scene = Scene::new();
    let file = scene.declare("ended", scene.now.plus_days(30), "").file;
    let accepted = scene.accept(&file, scene.now).unwrap().file;
    let roots = root(&scene.supplier);
    scene.customer.accept(&accepted, &roots, scene.now).unwrap();
    let key = scene.home("supplier").key(KeyPurpose::Agreement).unwrap();
    // Before it signed: the key would not count for the signature any more.
    let ended = scene.certified(KeyPurpose::Agreement, &key, Some(scene.now));
    let _ = scene.pin(scene.card_with(&[(KeyPurpose::Agreement, ended)]));
    let before = scene.customer.store().size();
    scene.customer.accept(&accepted, &roots, scene.now).unwrap();
    assert_eq!(scene.customer.store().size(), before);
    Scene::audit(&scene.customer, &[&scene.customer, &scene.supplier]);
}

#[test]
fn a_forged_card_in_a_proposal_that_was_declined_keeps_nobody_from_agreeing() {
    let scene = Scene::new();
    let until = scene.now.plus_days(30);
    let mallory = node(
        scene.folder.path(),
        "mallory",
        &settings("mallory"),
        scene.now,
    );
    // As the supplier's of that instant, by keys that Mallory made.
    let genuine = scene.supplier.card(scene.now).unwrap();
    let member = read_card(&genuine).unwrap();
    let forged = |purpose: KeyPurpose| SecretKey::from_seed(&[purpose as u8 + 1; 32]);
    let root_key = forged(KeyPurpose::Root);
    let mut card = Card::clone(&member.card);
    card.seat = "US".parse().unwrap();
    let certificates = card.certificates.iter().map(|certificate| {
        let certificate = Certificate::read(certificate).unwrap();
        let key = forged(certificate.purpose);
        let mut forged = Certificate {
            root: root_key.public(),
            ..certificate
        };
        // A key that signs nothing proves nothing.
        if forged.purpose == KeyPurpose::Seal {
            return ByteBuf::from(forged.sign_unproved(&root_key));
        }
        forged.key = key.public();
        ByteBuf::from(forged.sign(&root_key, &key))
    });
    card.certificates = certificates.collect();
    let card = SignedCard::sign(card, &forged(KeyPurpose::Statement));
    let text = declaration("evil", until, "", &["customer", "supplier"]);
    let cards = [
        scene.customer.card(scene.now).unwrap(),
        write_card(&Member::of(card)),
    ];
    let mut roots = root(&scene.customer);
    roots.insert(
        scene.supplier.settings().organization.id.clone(),
        root_key.public().fingerprint(),
    );
    let evil = mallory.declare(&text, &cards, &roots, scene.now).unwrap();
    decline(&scene.customer, &evil.file, &Roots::new(), scene.now).unwrap();
    scene.pin(genuine.clone()).unwrap();
    scene.declare_with("honest", until, "", genuine).unwrap();
    Scene::audit(&scene.customer, &[&scene.customer, &scene.supplier]);
}
