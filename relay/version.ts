/** This release, as it names itself to destinations and at `/healthz`. */
export const RELAY_VERSION = '0.1.0'
