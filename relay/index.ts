import { relayApp } from './app.ts'

export { DirectoryObject } from './directory/object.ts'
export { TenantObject } from './tenant/object.ts'

/** The Worker. */
export default relayApp()
