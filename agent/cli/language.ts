import { Option } from 'commander'
import { type Language, readLanguage } from '../language.ts'

export const languageOption = (): Option =>
  new Option('--lang <language>', "language (default: this system's own)").choices(['en', 'ru'])

export const languageOf = ({ lang }: { readonly lang?: Language }): Language => lang ?? readLanguage()
