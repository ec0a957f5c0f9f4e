/*
 * chain.h - judging strangers' objects with libcrypto: J-LIS's OCSP answers, and
 *           path validation where the issuer is not ours.
 *
 * Depends on: base, time, der, hash, key, cert, ocsp; libcrypto.  Pure: time and
 * anchors are arguments, nothing is fetched, no configuration is loaded.
 */
#ifndef PKI_CHAIN_H
#define PKI_CHAIN_H

#include "base/base.h"
#include "base/time.h"
#include "pki/cert.h"
#include "pki/ocsp.h"

struct chain_status {
	enum ocsp_status status;
	instant produced, this_update, next_update;
	instant revoked; /* only when it is */
};

/*
 * Judges an OCSP answer of any make for `leaf`, issued by `anchor`: signed by the
 * anchor itself or by a certificate it issued for OCSPSigning that is valid at
 * `now`; its CertID names leaf and anchor; the nonce, when one was sent, is
 * echoed; thisUpdate <= now (5 minutes of clock difference allowed) < nextUpdate
 * and thisUpdate not older than max_age_s.
 * ERR_POLICY ocsp-…: the answer says or proves nothing (could not check);
 * success says what it says, also when that is "revoked" or "unknown".
 */
err chain_check_ocsp(const struct cert *leaf, const struct cert *anchor, slice answer, slice nonce, instant now,
    uint32_t max_age_s, struct chain_status *out) CHECKED;

/*
 * Path validation of leaf against one self-signed anchor at `now` with
 * libcrypto: the second opinion of our own checks.  ERR_POLICY chain-path with
 * libcrypto's X509_V_ERR_… as `why`; ERR_INPUT for bytes.  To libcrypto a
 * certificate has lapsed in the very second that notAfter names.
 */
err chain_check_path(slice leaf, slice anchor, instant now) CHECKED;

#endif
