/** Whether a URL's hostname is this machine itself: there a proxy is in the way, and plain http is safe. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
