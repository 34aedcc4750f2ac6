/** How people have their programs trust the authority that `https.localhost` has made, by system. */
const commands: Readonly<Partial<Record<NodeJS.Platform, (root: string) => string>>> = {
  darwin: (root) => `security add-trusted-cert -k ~/Library/Keychains/login.keychain-db ${root}`,
  win32: (root) => `certutil -user -addstore Root ${root}`,
  linux: (root) =>
    `sudo install -m 644 ${root} /usr/local/share/ca-certificates/lb-localhost.crt && sudo update-ca-certificates; ` +
    `browsers: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n lb -i ${root}`,
};

/** Two lines: where it is, and what to do once. */
export function localTrust(root: string, platform: NodeJS.Platform): readonly string[] {
  const quoted = /^[\w./:-]+$/.test(root) ? root : `'${root.replaceAll("'", "'\\''")}'`;
  const command = commands[platform]?.(quoted) ?? "see your system's manual";
  return [
    `the certificate for localhost is of an authority of your own: ${root} (good for this machine alone)`,
    `to trust it, once: ${command}; or curl --cacert, or NODE_EXTRA_CA_CERTS`,
  ];
}
