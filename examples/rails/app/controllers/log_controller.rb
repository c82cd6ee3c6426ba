# What a ship's log shows: a page, and whether the database answers.
class LogController < ActionController::Base
  layout 'application'

  def index
    @entries = [['06:00', 'Left the slipway'], ['06:05', 'She floats & holds <water>']]
  end

  # Asks the database that DATABASE_URL names; without one, tells which client library would.
  def database
    url = ENV['DATABASE_URL']
    return render plain: "libpq #{PG.library_version / 10_000}\n" if url.nil?

    connection = PG.connect(url)
    begin
      render plain: "#{connection.exec('select 1 + 1').getvalue(0, 0)}\n"
    ensure
      connection.close
    end
  end
end
