import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { HttpsSettings } from "../options/https-options.ts";

const suitesOf13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** Forward secret and authenticated, for both kinds of keys; without DHE, which is slow and which no browser offers. */
const suitesOf12 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/** Mozilla's recommendations (wiki.mozilla.org/Security/Server_Side_TLS, 5.7). The client chooses among what is good. */
export const tlsProfiles: Readonly<Record<HttpsSettings["profile"], SecureContextOptions>> = Object.freeze({
  intermediate: {
    minVersion: "TLSv1.2",
    ciphers: [...suitesOf13, ...suitesOf12].join(":"),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  },
  modern: {
    minVersion: "TLSv1.3",
    ciphers: suitesOf13.join(":"),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  },
});
