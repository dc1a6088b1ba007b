//! Statements through another COSE library: it must be able to check our bytes, and it makes the ones we refuse.

use crate::samples;
use crate::stated::{Stated, statements};
use ambit_ledger::{Observation, SecretKey, Signature};
use coset::cbor::Value;
use coset::{
    AsCborValue as _, CborSerializable as _, CoseSign1, Label, RegisteredLabelWithPrivate,
    TaggedCborSerializable as _,
};

/// A statement taken apart, to be changed and put together again.
#[derive(Clone)]
pub struct Parts {
    pub protected: Vec<(Value, Value)>,
    pub unprotected: Vec<(Value, Value)>,
    pub payload: Value,
    pub signature: Value,
}

impl Parts {
    /// Of the observation of all facts.
    pub fn observation() -> Self {
        Self::read(&Observation::sign(&samples::facts(), &samples::forge_key()))
    }

    pub fn read(statement: &[u8]) -> Self {
        let value: Value = coset::cbor::from_reader(statement).unwrap();
        let Value::Tag(18, array) = value else {
            panic!("the tag is {value:?}")
        };
        let [protected, unprotected, payload, signature]: [Value; 4] =
            array.into_array().unwrap().try_into().unwrap();
        let protected = protected.into_bytes().unwrap();
        let protected: Value = coset::cbor::from_reader(protected.as_slice()).unwrap();
        Self {
            protected: protected.into_map().unwrap(),
            unprotected: unprotected.into_map().unwrap(),
            payload,
            signature,
        }
    }

    /// The value of a protected header.
    pub fn header(&mut self, label: i64) -> &mut Value {
        entry(&mut self.protected, label)
    }

    /// The value of a claim: 1 the issuer, 2 the subject.
    pub fn claim(&mut self, label: i64) -> &mut Value {
        entry(self.header(15).as_map_mut().unwrap(), label)
    }

    pub fn with_payload(mut self, payload: Vec<u8>) -> Self {
        self.payload = Value::Bytes(payload);
        self
    }

    fn protected_bytes(&self) -> Vec<u8> {
        bytes(&Value::Map(self.protected.clone()))
    }

    /// With the signature that is in it.
    pub fn join(&self) -> Vec<u8> {
        self.join_as(18)
    }

    pub fn join_as(&self, tag: u64) -> Vec<u8> {
        let array = Value::Array(vec![
            Value::Bytes(self.protected_bytes()),
            Value::Map(self.unprotected.clone()),
            self.payload.clone(),
            self.signature.clone(),
        ]);
        bytes(&Value::Tag(tag, Box::new(array)))
    }

    /// Signed anew, so that nothing is wrong but what was changed (RFC 9052 §4.4).
    pub fn sign(&self, key: &SecretKey) -> Vec<u8> {
        let to_be_signed = Value::Array(vec![
            Value::Text("Signature1".to_owned()),
            Value::Bytes(self.protected_bytes()),
            Value::Bytes(Vec::new()),
            self.payload.clone(),
        ]);
        let signature = key.sign(&bytes(&to_be_signed));
        Self {
            signature: Value::Bytes(signature.as_bytes().to_vec()),
            ..self.clone()
        }
        .join()
    }
}

/// The value of an integer key in a map.
pub fn entry(map: &mut [(Value, Value)], label: i64) -> &mut Value {
    let label = Value::from(label);
    let found = map.iter_mut().find(|(key, _)| *key == label).unwrap();
    &mut found.1
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::into_writer(value, &mut bytes).unwrap();
    bytes
}

#[test]
fn another_library_verifies_every_kind_of_statement() {
    for signed in statements() {
        let Stated {
            statement,
            kind,
            key,
            payload,
            ..
        } = signed;
        let key = key.public();
        let media_type = kind.media_type();
        let sign1 = CoseSign1::from_tagged_slice(&statement).unwrap();
        assert_eq!(
            sign1.payload.as_deref(),
            Some(payload.as_slice()),
            "{media_type}"
        );
        let signature = Signature::try_from(sign1.signature.as_slice()).unwrap();
        assert!(
            key.verifies(&sign1.tbs_data(&[]), &signature),
            "{media_type}"
        );
        assert!(!key.verifies(&sign1.tbs_data(b"other"), &signature));

        let header = &sign1.protected.header;
        assert_eq!(
            header.alg,
            Some(RegisteredLabelWithPrivate::Assigned(
                coset::iana::Algorithm::Ed25519
            ))
        );
        assert_eq!(header.key_id, key.fingerprint().digest().as_bytes());
        assert!(header.crit.is_empty() && sign1.unprotected.is_empty());
        let claims = Value::Map(vec![
            (Value::from(1), Value::from(signed.issuer.as_str())),
            (Value::from(2), Value::from(signed.subject)),
        ]);
        assert!(media_type.starts_with("application/vnd.ambit.") && media_type.ends_with("+cbor"));
        let media_type = Value::from(media_type);
        assert_eq!(
            header.rest,
            [(Label::Int(15), claims), (Label::Int(16), media_type)]
        );
        // As another library writes it, it is the same statement.
        assert_eq!(sign1.to_tagged_vec().unwrap(), statement);
    }
}

#[test]
fn the_algorithm_is_ed25519_by_its_own_number() {
    let mut parts = Parts::observation();
    assert_eq!(*parts.header(1), Value::from(-19));
    let algorithm = coset::Algorithm::from_cbor_value(Value::from(-19)).unwrap();
    assert_eq!(
        algorithm.to_vec().unwrap(),
        coset::Algorithm::Assigned(coset::iana::Algorithm::Ed25519)
            .to_vec()
            .unwrap()
    );
}

#[test]
fn what_another_library_signs_is_the_same_statement() {
    let statement = Observation::sign(&samples::facts(), &samples::forge_key());
    let parts = Parts::read(&statement);
    assert_eq!(parts.join(), statement);
    assert_eq!(parts.sign(&samples::forge_key()), statement);
}
