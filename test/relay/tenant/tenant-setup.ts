import { createDataKey, openDataKey } from '../../../relay/secrets/envelope.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import { Deliveries } from '../../../relay/tenant/deliveries.ts'
import { DestinationDesk } from '../../../relay/tenant/destination-desk.ts'
import { Pulse } from '../../../relay/tenant/pulse.ts'
import { TenantState } from '../../../relay/tenant/state.ts'
import { hostRecord, NOW, TENANT } from './fixtures.ts'
import { type NodeStorage, nodeStorage } from './node-storage.ts'

/** All of a tenant object but its shell, on Node, with a clock in hand: a tenant with two hosts. */
export function setUpTenant() {
  const tenant = openTenant(nodeStorage())
  tenant.state.init(TENANT)
  for (const id of ['h1', 'h2']) tenant.state.hosts.set(id, hostRecord({ id, name: `БУХ-${id}` }))
  return tenant
}

/** The same over what is stored already. */
export function openTenant(node: NodeStorage, clock = { now: NOW }) {
  const keyring = readKeyring(generateKeyring())
  const dataKey = createDataKey(keyring, TENANT.id).then(wrapped => openDataKey(keyring, TENANT.id, wrapped))
  const state = new TenantState(node.storage, clock.now, error => {
    throw error
  })
  const ended: (() => void)[] = []
  const deliveries = new Deliveries(state, {
    dataKey: () => dataKey,
    pumpEnded: () => {
      pulse.pumpEnded(clock.now)
      for (const resolve of ended.splice(0)) resolve()
    },
    now: () => clock.now,
  })
  const pulse = new Pulse(node.storage, state, deliveries, { lingerMs: 2_000, armedAtMs: null })
  const desk = new DestinationDesk(state, deliveries, { dataKey: () => dataKey, allowPrivate: true })
  return {
    clock,
    node,
    alarms: node.alarms,
    state,
    deliveries,
    pulse,
    desk,
    /** Resolves when some pump ends. */
    pumpEnded: () => new Promise<void>(resolve => ended.push(resolve)),
    destination: (name: string) =>
      deliveries.records.map(record => deliveries.view(record)).find(one => one.name === name),
  }
}
