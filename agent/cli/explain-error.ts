import { ConfigDamagedError, NotEnrolledError } from '../config.ts'
import { findingOf } from '../doctor/enrolment.ts'
import { sayFinding } from '../doctor/explain.ts'
import { finding } from '../doctor/finding.ts'
import { systemCode } from '../error.ts'
import type { Language } from '../language.ts'
import { RunningAlreadyError } from '../lock.ts'

/** What a person reads of an error that ended a command: English, and their own language where the error is a usual one. */
export function explainError(error: Error, language: Language): string {
  const advice = ADVICE[systemCode(error) ?? '']
  const english = advice ? `${error.message}\n${advice.en}` : error.message
  const own = language === 'en' ? undefined : (advice?.[language] ?? sayKnown(error, language))
  return own === undefined ? english : `${english}\n\n${own}`
}

function sayKnown(error: Error, language: Language): string | undefined {
  if (error instanceof ConfigDamagedError) return sayFinding(findingOf(error), language)
  if (error instanceof NotEnrolledError) return sayFinding(notEnrolled(error), language)
  if (error instanceof RunningAlreadyError)
    return `Агент с этим каталогом состояния уже работает (процесс ${error.pid}). Сначала остановите его: Ctrl-C, если он запущен вручную; службу \`enrol --service\` останавливает сама.`
  return undefined
}

const notEnrolled = ({ directory, removedReason }: NotEnrolledError) =>
  removedReason === undefined
    ? finding('host.not_enrolled', { directory })
    : finding('host.removed', { reason: removedReason })

const administrator =
  process.platform === 'win32' ? ['administrator', 'администратора'] : ['root (sudo)', 'root (sudo)']
const rights = {
  en: `It is not open to you: run this as ${administrator[0]}.`,
  ru: `Нет доступа: запустите эту команду от имени ${administrator[1]}.`,
}

/** By the system's code. */
const ADVICE: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  EACCES: rights,
  EPERM: rights,
  EROFS: {
    en: 'The disk is write-protected: make it writable, or choose another state directory (--state).',
    ru: 'Диск защищён от записи: снимите защиту или выберите другой каталог состояния (--state).',
  },
  ENOSPC: {
    en: 'The disk is full: make room on it and try again.',
    ru: 'Диск заполнен: освободите место и повторите.',
  },
}
