/** The release, as in package.json (a test holds them together); sent in every batch. */
export const VERSION = '0.1.0'
