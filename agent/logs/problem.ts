import * as z from 'zod'
import type { Language } from '../language.ts'

/** Why a path, or a file of it, is not followed as it should be. */
export const LOG_PROBLEMS = [
  'relative_path',
  'no_file',
  'unreadable',
  'no_answer',
  'held_up',
  'too_many_names',
  'too_many_files',
] as const

export const isLogProblem = (code: string): code is LogProblem['code'] => LOG_PROBLEMS.some(known => known === code)

export const logProblem = z.object({
  code: z.enum(LOG_PROBLEMS),
  /** The system's reason, or a number; empty when the code says it all. */
  detail: z.string(),
})
export type LogProblem = z.output<typeof logProblem>

/** By code; `{detail}` is filled. */
export const LOG_PROBLEM_TEXTS: Readonly<Record<Language, Readonly<Record<LogProblem['code'], string>>>> = {
  en: {
    relative_path: 'the path does not begin at a drive, a share or /: write it whole',
    no_file: 'there is no such file yet; it is followed as soon as it is there',
    unreadable: 'it cannot be read: {detail}',
    no_answer: 'the path does not answer; it is tried again when the call has ended',
    held_up: 'not looked at, because two other paths do not answer',
    too_many_names: 'there are more than 5000 names below this folder: name a folder further down',
    too_many_files: '{detail} files are being written that are too many to be followed',
  },
  ru: {
    relative_path: 'путь начинается не с диска, сетевой папки или /: укажите его полностью',
    no_file: 'такого файла пока нет; он будет читаться, как только появится',
    unreadable: 'файл не читается: {detail}',
    no_answer: 'путь не отвечает; попытка повторится, когда вызов завершится',
    held_up: 'не проверялся: два других пути не отвечают',
    too_many_names: 'в этой папке больше 5000 имён: укажите папку глубже',
    too_many_files: 'файлов, в которые идёт запись, слишком много: {detail} не читаются',
  },
}
