/** The one part of the library that is used: the whole of it costs 600 KB of bundle. It has types for the whole only. */
declare module 'systeminformation/lib/osinfo.js' {
  export const osInfo: typeof import('systeminformation').osInfo
}
