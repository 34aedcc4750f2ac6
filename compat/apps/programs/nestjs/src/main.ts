import "reflect-metadata";
import { Body, Controller, Get, Injectable, Module, Param, Post, Redirect } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

declare const process: { env: Record<string, string | undefined> };

@Injectable()
class Greetings {
  greet(name: string) {
    return `hello ${name}`;
  }
}

@Controller()
class AppController {
  constructor(private readonly greetings: Greetings) {}

  @Get()
  home() {
    return this.greetings.greet("nest");
  }

  @Get("people/:name")
  person(@Param("name") name: string) {
    return { greeting: this.greetings.greet(name) };
  }

  @Get("away")
  @Redirect("/people/ada")
  away() {}

  @Post("echo")
  echo(@Body() body: object) {
    return body;
  }
}

@Module({ controllers: [AppController], providers: [Greetings] })
class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks();
  await app.listen(process.env["PORT"] ?? 3000);
}
bootstrap();
