import App
import Glibc

exit(await RemitCommand.main(CommandLine.arguments))
