//! Signatures of webhooks: HMAC-SHA256 over the time and the raw body, written `t=<unix seconds>,v1=<hex>`.
//! Rule: the signature is verified before the body is parsed. A header can have several `v1` parts, so that secrets can
//! be rotated.

use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::WebhookRejection;

/// Maximum difference between the time of a signature and the current time, in either direction.
pub const TOLERANCE: Duration = Duration::minutes(5);

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// Signs a body at this time.
pub fn sign(secret: &str, body: &[u8], now: DateTime<Utc>) -> String {
    let time = now.timestamp().to_string();
    format!("t={time},v1={}", hex::encode(mac(secret, &time, body).finalize().into_bytes()))
}

/// Verifies a signature.
/// # Errors
/// [`WebhookRejection::InvalidSignature`] if it is missing, malformed, wrong, or its time is out of tolerance.
pub fn check(secret: &str, header: Option<&String>, body: &[u8], now: DateTime<Utc>) -> Result<(), WebhookRejection> {
    let parts =
        || header.into_iter().flat_map(|header| header.split(',')).filter_map(|part| part.trim().split_once('='));
    let mut times = parts().filter(|(name, _)| *name == "t").map(|(_, time)| time);
    let (Some(time), None) = (times.next(), times.next()) else { return Err(WebhookRejection::InvalidSignature) };
    let at = time
        .parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(WebhookRejection::InvalidSignature)?;
    let is_good = parts().filter(|(name, _)| *name == "v1").any(|(_, signature)| {
        let bytes = hex::decode(signature).unwrap_or_default();
        // `verify_slice` compares in constant time.
        mac(secret, time, body).verify_slice(&bytes).is_ok()
    });
    if is_good && (now - at).abs() <= TOLERANCE { Ok(()) } else { Err(WebhookRejection::InvalidSignature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_valid_for_its_body_for_five_minutes() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let signed = sign("secret", b"body", now);
        let good = |header: &str, body: &[u8], now| check("secret", Some(&header.to_owned()), body, now).is_ok();
        // Expected value from: printf '1790000000.body' | openssl dgst -sha256 -hmac secret
        assert_eq!(signed, "t=1790000000,v1=3fa516f68ee9d107cea70d945bf54d4d8fddc83ae67f4a54f60c19d3ae41fe71");
        assert!(good(&signed, b"body", now));
        assert!(good(&signed, b"body", now + TOLERANCE) && good(&signed, b"body", now - TOLERANCE));
        let too_far = TOLERANCE + Duration::seconds(1);
        assert!(!good(&signed, b"body", now + too_far) && !good(&signed, b"body", now - too_far));
        assert!(!good(&signed, b"Body", now));
        assert!(good(&format!("{signed},v1=00"), b"body", now), "one valid signature of several is enough");
        let (time, mac) = signed.split_once(',').unwrap();
        for header in ["", "t=", time, mac, &signed[..signed.len() - 2], &signed.replace("t=", "t=1,t="), "t=x,v1=y"] {
            assert!(!good(header, b"body", now), "{header}");
        }
        assert_eq!(check("other", Some(&signed), b"body", now), Err(WebhookRejection::InvalidSignature));
        assert_eq!(check("secret", None, b"body", now), Err(WebhookRejection::InvalidSignature));
    }
}
