//! Keys of the access tokens: each signs and verifies only with its own algorithm, and keys can be rotated. The keys in
//! `data/keys` were generated for these tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use base64::{
    Engine, alphabet,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode, jwk::JwkSet};
use serde_json::{Value, json};
use souk::{
    auth::{AuthMethod, Identity, JwtKey, JwtKeys, TokenError},
    ids::{SessionId, UserId},
};

use crate::support::{
    SECRET, TestApp,
    forged_token::{ForgedToken, parts},
    process::DataDir,
};

const RSA: &str = include_str!("../data/keys/rsa.pem");
const PUBLIC_RSA: &str = include_str!("../data/keys/public-rsa.pem");
const ED25519: &str = include_str!("../data/keys/ed25519.pem");
const ANOTHER_ED25519: &str = include_str!("../data/keys/another-ed25519.pem");

/// Returns the path of a test key file.
pub fn key_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/keys").join(name)
}

fn load(name: &str) -> JwtKey {
    JwtKey::load(&key_path(name)).unwrap()
}

fn keys(keys: impl IntoIterator<Item = JwtKey>) -> JwtKeys {
    JwtKeys::with_keys(keys.into_iter().collect(), "souk", "souk", chrono::Duration::minutes(60)).unwrap()
}

fn test_identity() -> Identity {
    let auth_method = AuthMethod::Session(SessionId(7));
    Identity {
        user: UserId(3),
        auth_method,
        role: "customer".into(),
        permissions: [].into_iter().collect(),
        websites: None,
    }
}

fn token(keys: &JwtKeys) -> String {
    keys.issue(&test_identity()).unwrap().token
}

/// Returns the decoded contents of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}

#[test]
fn verified_token_expires() {
    let lifetime = chrono::Duration::seconds(2);
    let keys = JwtKeys::with_keys(vec![load("ed25519.pem")], "souk", "souk", lifetime).unwrap();
    let issued = keys.issue(&test_identity()).unwrap();
    // The first verification is remembered; the expiry is in whole seconds.
    assert!(keys.verify(&issued.token).is_ok() && keys.verify(&issued.token).is_ok());
    let mut verified_at = chrono::Utc::now();
    while keys.verify(&issued.token).is_ok() {
        assert!(verified_at < issued.expires_at, "accepted after its expiry");
        verified_at = chrono::Utc::now();
    }
    assert_eq!(keys.verify(&issued.token).err(), Some(TokenError::Expired));
}

#[test]
fn each_key_type_signs_with_its_algorithm_and_is_accepted() {
    let secret = DataDir::new();
    let path = secret.0.join("old.secret");
    fs::write(&path, format!("{SECRET}\n")).unwrap();
    for (key, kid, alg) in [
        (load("ed25519.pem"), "ed25519", "EdDSA"),
        (load("rsa.pem"), "rsa", "RS256"),
        (JwtKey::load(&path).unwrap(), "old", "HS256"),
    ] {
        let keys = keys([key]);
        let token = token(&keys);
        assert_eq!(parts(&token)[0], json!({ "typ": "JWT", "alg": alg, "kid": kid }));
        assert_eq!(keys.verify(&token), Ok(test_identity()));
    }
    // A trailing line break is not part of a secret.
    let old = keys([JwtKey::load(&path).unwrap()]);
    assert!(old.verify(&ForgedToken::of(&token(&old)).token()).is_ok());
}

#[test]
fn key_rotation_keeps_tokens_valid() {
    let (ed, rsa, secret) = (|| load("ed25519.pem"), || load("rsa.pem"), || JwtKey::from_secret(SECRET));
    let steps = [
        keys([secret()]),
        keys([ed(), secret()]),
        keys([ed()]),
        keys([ed(), rsa()]),
        keys([rsa(), ed()]),
        keys([rsa()]),
    ];
    let tokens: Vec<_> = steps.iter().map(token).collect();
    let signers: Vec<_> = tokens.iter().map(|token| parts(token)[0]["alg"].clone()).collect();
    assert_eq!(signers, ["HS256", "EdDSA", "EdDSA", "EdDSA", "RS256", "RS256"]);
    for (at, step) in steps.iter().enumerate() {
        let good: Vec<_> = tokens.iter().map(|token| step.verify(token).is_ok()).collect();
        let expected = match at {
            0 => [true, false, false, false, false, false],
            1 => [true, true, true, true, false, false],
            2 => [false, true, true, true, false, false],
            3 | 4 => [false, true, true, true, true, true],
            _ => [false, false, false, false, true, true],
        };
        assert_eq!(good, expected, "step {at}");
    }
}

#[test]
fn key_verifies_only_its_own_algorithm() {
    let all = keys([load("rsa.pem"), load("ed25519.pem"), load("another-ed25519.pem"), JwtKey::from_secret(SECRET)]);
    let real = token(&all);
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    let [ed, another] = [ED25519, ANOTHER_ED25519].map(|pem| EncodingKey::from_ed_pem(pem.as_bytes()).unwrap());
    let kid = parts(&token(&keys([JwtKey::from_secret(SECRET)])))[0]["kid"].clone();
    let forge = |kid: &Value, alg: &str| ForgedToken::of(&real).header("kid", kid.clone()).header("alg", alg);
    let (rsa_kid, ed_kid, another_kid) = (&json!("rsa"), &json!("ed25519"), &json!("another-ed25519"));
    let public = serde_json::to_value(all.public_jwks()).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(public["keys"][0]["n"].as_str().unwrap()).unwrap();
    let point = URL_SAFE_NO_PAD.decode(public["keys"][1]["x"].as_str().unwrap()).unwrap();
    let spki = der(PUBLIC_RSA);

    let mut forged = vec![
        ("no signature", format!("{}.", forge(rsa_kid, "none").message())),
        ("no signature with the real algorithm", format!("{}.", forge(rsa_kid, "RS256").message())),
        ("an unknown kid", forge(&json!("another"), "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("a kid in upper case", forge(&json!("RSA"), "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("the full file name as kid", forge(&json!("rsa.pem"), "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("an empty kid", forge(&json!(""), "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("no kid", forge(&Value::Null, "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("several kids", forge(&json!(["rsa"]), "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        (
            "the kid of another key of the same type",
            forge(another_kid, "EdDSA").key(ed.clone(), Algorithm::EdDSA).token(),
        ),
        ("the kid of a key of another type", forge(ed_kid, "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("an RSA signature with the kid of a secret", forge(&kid, "RS256").key(rsa.clone(), Algorithm::RS256).token()),
        ("the secret with the kid of a key pair", forge(rsa_kid, "HS256").token()),
        (
            "another algorithm with the kid of an RSA key",
            forge(rsa_kid, "EdDSA").key(ed.clone(), Algorithm::EdDSA).token(),
        ),
    ];
    for (name, algorithm) in [
        ("RS384", Algorithm::RS384),
        ("RS512", Algorithm::RS512),
        ("PS256", Algorithm::PS256),
        ("PS512", Algorithm::PS512),
    ] {
        forged.push((name, forge(rsa_kid, name).key(rsa.clone(), algorithm).token()));
    }
    // Public parts of a key, used as a secret.
    let jwk = public["keys"][0].to_string();
    for known in [
        PUBLIC_RSA.as_bytes(),
        PUBLIC_RSA.trim().as_bytes(),
        &spki,
        &spki[24..],
        jwk.as_bytes(),
        &modulus,
        b"rsa",
        b"",
        public["keys"][0]["n"].as_str().unwrap().as_bytes(),
    ] {
        for alg in ["HS256", "RS256"] {
            forged.push(("the public RSA key as a secret", forge(rsa_kid, alg).secret(known).token()));
        }
    }
    for known in
        [&point[..], public["keys"][1]["x"].as_str().unwrap().as_bytes(), public["keys"][1].to_string().as_bytes()]
    {
        for alg in ["HS256", "EdDSA"] {
            forged.push(("the public Ed25519 key as a secret", forge(ed_kid, alg).secret(known).token()));
        }
    }
    // A key that is embedded in the token.
    let brought = serde_json::to_value(keys([load("another-ed25519.pem")]).public_jwks()).unwrap()["keys"][0].clone();
    for (name, value) in [
        ("jwk", brought),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!([STANDARD.encode(&spki)])),
        ("x5t", json!("AAAA")),
    ] {
        forged.push((name, forge(ed_kid, "EdDSA").header(name, value).key(another.clone(), Algorithm::EdDSA).token()));
    }
    for (what, token) in forged {
        assert_eq!(all.verify(&token), Err(TokenError::Invalid), "{what}: {token}");
    }
    // Tokens that are signed correctly pass.
    for (kid, alg, key, algorithm) in [
        (rsa_kid, "RS256", rsa, Algorithm::RS256),
        (ed_kid, "EdDSA", ed, Algorithm::EdDSA),
        (another_kid, "EdDSA", another, Algorithm::EdDSA),
    ] {
        assert!(all.verify(&forge(kid, alg).key(key, algorithm).token()).is_ok(), "{kid}");
    }
    assert!(all.verify(&forge(&kid, "HS256").token()).is_ok());
}

#[test]
fn token_with_a_flipped_bit_is_rejected() {
    for key in [JwtKey::from_secret(SECRET), load("ed25519.pem"), load("rsa.pem")] {
        let keys = keys([key]);
        let token = token(&keys);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        // Every bit; of a long signature some bits in each byte.
        let step = if bytes.len() > 64 { 7 } else { 1 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(&flipped));
            assert_eq!(keys.verify(&forged), Err(TokenError::Invalid), "bit {bit}");
        }
        for at in (0..message.len()).step_by(7) {
            let mut flipped = token.clone().into_bytes();
            flipped[at] ^= 1;
            let forged = String::from_utf8(flipped).unwrap();
            assert_eq!(keys.verify(&forged), Err(TokenError::Invalid), "{forged}");
        }
        // Another encoding of the same bytes is a different token.
        let last = signature.chars().last().unwrap();
        let spelt = alphabet::URL_SAFE.as_str();
        let next = spelt.chars().nth(spelt.find(last).unwrap() | 1).unwrap();
        let respelt = format!("{}{next}", &token[..token.len() - 1]);
        for forged in [
            format!("{token}="),
            format!("{token}=="),
            format!("{token} "),
            format!("{token}\n"),
            format!("{token}A"),
            token.replacen('.', "=.", 1),
            format!("{message}.{}", STANDARD.encode(&bytes)),
            respelt,
        ] {
            assert_eq!(keys.verify(&forged), Err(TokenError::Invalid), "{forged}");
        }
        assert!(keys.verify(&token).is_ok());
    }
}

#[test]
fn issuer_and_audience_must_match_the_settings() {
    let of = |issuer: &str, audience: &str| {
        JwtKeys::with_keys(vec![load("ed25519.pem")], issuer, audience, chrono::Duration::minutes(60)).unwrap()
    };
    let ours = of("https://shop.example", "storefront");
    let claims = &parts(&token(&ours))[1];
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://shop.example"), &json!("storefront")));
    assert!(ours.verify(&token(&ours)).is_ok());
    for other in [
        of("souk", "souk"),
        of("https://shop.example", "souk"),
        of("souk", "storefront"),
        of("https://shop.example/", "storefront"),
    ] {
        assert_eq!(ours.verify(&token(&other)), Err(TokenError::Invalid));
    }
}

#[tokio::test]
async fn jwks_endpoint_serves_keys_that_verify_tokens() {
    let path = "/.well-known/jwks.json";
    let get = async |app: &TestApp| {
        let (status, headers, bytes) = app.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let pairs = || [load("rsa.pem"), load("ed25519.pem")];
    let jwt = keys(pairs().into_iter().chain([JwtKey::from_secret(SECRET)]));
    let app = TestApp::builder().jwt_keys(jwt).build().await;
    let shown = get(&app).await;
    let [rsa, ed] = [0, 1].map(|at| shown["keys"][at].as_object().unwrap().clone());
    assert_eq!(
        shown,
        json!({ "keys": [
        { "use": "sig", "alg": "RS256", "kid": "rsa", "kty": "RSA", "n": rsa["n"], "e": "AQAB" },
        { "use": "sig", "alg": "EdDSA", "kid": "ed25519", "kty": "OKP", "crv": "Ed25519", "x": ed["x"] },
    ] })
    );
    let set: JwkSet = serde_json::from_value(shown).unwrap();
    for key in pairs() {
        let token = token(&keys([key]));
        let head = jsonwebtoken::decode_header(&token).unwrap();
        let mut validation = Validation::new(head.alg);
        validation.set_audience(&["souk"]);
        for jwk in &set.keys {
            let checked = decode::<Value>(&token, &DecodingKey::from_jwk(jwk).unwrap(), &validation);
            assert_eq!(checked.is_ok(), jwk.common.key_id == head.kid, "{jwk:?}");
        }
    }
    assert_eq!(get(&TestApp::new().await).await, json!({ "keys": [] }));
    let post = app.send(Request::post(path).body(Body::empty()).unwrap()).await;
    assert_eq!(post.0, StatusCode::METHOD_NOT_ALLOWED);
}
